"""Endpoints of the Messenger that bypass Django's middleware (docs/adr/0004)."""
