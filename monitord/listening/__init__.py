"""From samples to windows and segments: the gate, the voice detector, and what is cut out of the sound."""
