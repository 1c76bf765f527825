"""Plumbing without business terms: events, realtime, raw ASGI, database, text."""
