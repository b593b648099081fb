"""From samples to scored events: the worker, the channel of each source, and replay."""
