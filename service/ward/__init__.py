"""Many rooms on several machines: each fixed slice of them is a shard, and each shard is heard by one process."""
