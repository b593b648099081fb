"""What each window is called: the teachers, the targets, what is held out, and the augmented windows with labels."""
