"""Sound and time: from samples to segments, windows and cry episodes.

Pure: no thread, socket, file, clock, log or framework. You push samples in and pull events out; time is a
count of 16 kHz samples, so the same audio gives the same events on every run.
"""
