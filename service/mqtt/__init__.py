"""The connection to the broker: what is said on it, in which order, and what is sent again."""
