"""Debian systems beside this one: bare ones that boot, and one of another architecture."""
