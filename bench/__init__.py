"""The benchmark: the message path through the public doors, against the real processes."""
