"""HTTP endpoints that bypass Django's middleware: the message path (docs/adr/0004)."""
