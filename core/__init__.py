"""Plumbing without a business word: events, realtime, raw ASGI, database, text."""
