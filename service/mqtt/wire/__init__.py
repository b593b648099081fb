"""One connection to a broker: its address, its bytes, its limits, and what it has not answered yet."""
