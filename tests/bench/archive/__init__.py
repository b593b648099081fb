"""What an archive of recordings costs, by engine and workers."""
