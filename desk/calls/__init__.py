"""Calls of agents: see conversations.calls."""
