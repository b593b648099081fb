"""Keras networks and heads, from windows to weights."""
