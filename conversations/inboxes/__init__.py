"""Inboxes: what the product knows of the channels outside the Messenger."""
