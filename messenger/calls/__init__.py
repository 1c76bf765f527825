"""Calls of visitors: see conversations.calls."""
