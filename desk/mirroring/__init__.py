"""Mirroring: see conversations.mirroring."""
