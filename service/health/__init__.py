"""Whether each room is heard and the daemon itself is well, and who is told when not."""
