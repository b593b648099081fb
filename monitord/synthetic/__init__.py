"""Sounds from formulas: a baby's cry and the demo, for no baby's recording is shipped."""
