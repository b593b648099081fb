"""The daemon: sources, worker, MQTT, the command line. What would need a mock to be tested lives here."""
