"""Live pushes: channel layer, groups by audience, and the base of all consumers."""
