"""What the nights were: the history, and the clips where the family wants them."""
