"""Encoded sound to samples, with FFmpeg: which track, all channels, to the end."""
