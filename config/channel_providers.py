"""The base addresses of the providers of channels, from the environment: ``TELEGRAM_API``,
``WHATSAPP_API``."""

from __future__ import annotations

from config.environment import refuse, text

DEFAULTS = {"telegram": "https://api.telegram.org", "whatsapp": "https://graph.facebook.com"}


def read() -> dict[str, str]:
    """Return the address of each provider, without a slash at its end."""
    addresses = {}
    for kind, default in DEFAULTS.items():
        name = f"{kind.upper()}_API"
        addresses[kind] = text(name, default).rstrip("/")
        if not addresses[kind].startswith(("https://", "http://")):
            refuse(f"{name} is an address such as {default}")
    return addresses
