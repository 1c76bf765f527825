"""The ASGI servers that can serve the product, each with what it lacks by itself."""

PING_SECONDS = 10
PONG_SECONDS = 15
"""Sockets are pinged so often by the server itself, and closed if nothing answers."""
