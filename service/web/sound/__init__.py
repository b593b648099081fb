"""What the rooms sound like, for the ear and the eye of whoever has the page open."""
