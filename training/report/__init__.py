"""The report: every measured figure on one page that a browser opens without a network."""
