"""Streams: how they are opened, whom they are from, and what is said of them."""
