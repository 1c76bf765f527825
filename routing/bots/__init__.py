"""Bots: scenarios as data, the engine that plays them, and what runs them in conversations."""
