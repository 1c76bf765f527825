"""Live pushes: the channel layer, its groups, and the base class of consumers."""
