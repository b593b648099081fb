"""The family's page: a web server beside the daemon, with the same messages and commands as MQTT."""
