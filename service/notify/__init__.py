"""Notifications without Home Assistant: to any service that Apprise knows, and to a web address of the family's own."""
