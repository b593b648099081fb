"""What a person, a script or the journal reads while the daemon runs."""
