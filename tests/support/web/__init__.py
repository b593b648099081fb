"""A page that is served for a test, and who asks it."""
