"""The queue-size simulator: replays the past with other numbers of places."""
