"""What Home Assistant is told about us, so that every entity is there without a line of its configuration."""
