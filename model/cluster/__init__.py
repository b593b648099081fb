"""Work on more machines than this one."""
