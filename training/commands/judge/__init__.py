"""The commands that say what a bundle, and the ear before it, is worth."""
