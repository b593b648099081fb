"""What a person types: one light module for each command, which loads what it needs only when it runs."""
