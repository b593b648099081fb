"""What the family says of episodes, kept, learnt from and put in force, while the daemon listens."""
