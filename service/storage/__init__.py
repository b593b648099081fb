"""What outlives the daemon: the outbox, small documents, and the lock on their directory."""
