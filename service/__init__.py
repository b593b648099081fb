"""The daemon: sources, worker, MQTT, the command line. What would need a mock to be tested lives here."""

import os

# Read when NumPy is loaded, which nothing here does before this line, whoever hosts it. With a thread per core OpenBLAS
# wakes them all for the front end's small products and lets them spin, which costs more than all the rest of the road.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
