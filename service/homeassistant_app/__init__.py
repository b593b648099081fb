"""Home Assistant's app: its options, its Supervisor and the family's file become the daemon's configuration."""
