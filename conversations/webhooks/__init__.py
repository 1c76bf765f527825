"""Webhooks: what happens to conversations, told to other systems by HTTP (docs/webhooks.md)."""
