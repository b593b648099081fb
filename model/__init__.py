"""What sound means: decoding, front end, network, bundle, runtimes."""
