"""What sound means: front end, network, bundle, runtimes."""
