"""What commands leave: result files, files written whole, folders of work that may stop, and numbers as text."""
