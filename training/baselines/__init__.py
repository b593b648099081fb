"""The methods that the paper compares itself with, each small, over one protocol (`training.baselines.method`)."""
