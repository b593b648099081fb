"""Phones and cameras on the network, through FFmpeg."""
