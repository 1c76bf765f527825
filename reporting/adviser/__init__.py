"""The queue-size adviser: how many places, by a formula and by replaying what happened (B21)."""
