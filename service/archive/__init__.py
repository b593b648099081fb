"""`monitord archive`: the real worker over a folder of recordings, in several processes or on several machines."""
