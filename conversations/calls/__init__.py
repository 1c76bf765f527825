"""Calls: the visitor and the agent of a conversation talk to and see each other (R164)."""
