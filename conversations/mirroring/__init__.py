"""Mirroring: agents see the page that the visitor has in front of them (R59, R60)."""
