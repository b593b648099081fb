"""The processes that decode and record for the daemon, so that a library that crashes takes one room with it."""
