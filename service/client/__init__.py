"""What other commands ask a running daemon, over its broker."""
