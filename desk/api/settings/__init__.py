"""Settings in the public API: what administrators and managers set by hand, set by programs."""
