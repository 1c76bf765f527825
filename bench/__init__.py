"""The benchmark: the message path through the public entry points, against the real processes."""
