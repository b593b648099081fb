"""What makes a bundle: calibration, thresholds, the two recipes, fine-tuning, the model card, other file formats."""
