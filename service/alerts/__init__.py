"""What becomes of an event: episodes of the house, what is told of them, commands, test alarms, what was today."""
