"""Agents in conversations: drafts, notes, notices, the status log, and what they may hold."""
