"""How often a door admits requests, from the environment: ``RATE_MESSAGES`` and so on.

Each default leaves room for a classroom of forty behind one address.
"""

from __future__ import annotations

from config.environment import flag, refuse, text
from core.rates.windows import Limits, parse

DEFAULTS = {
    # New visitors: a browser that has just accepted the consent.
    "visitors": "address 120/10minute, website 1200/minute",
    "identity": "address 300/minute, website 3000/minute",
    "conversations": "visitor 10/10minute, address 120/10minute, website 600/minute",
    "messages": "visitor 60/minute, address 1200/minute, website 12000/minute",
    # Calls that begin to ring.
    "calls": "visitor 10/10minute",
    # What providers of channels deliver to the inboxes of a website.
    "channels": "address 6000/minute, website 12000/minute",
    # Articles that are looked for, read and judged, mostly before there is a visitor.
    "articles": "address 1200/minute, website 6000/minute",
    "tickets": "visitor 60/minute, address 1200/minute",
    # Requests with an unknown token. Known ones from the same address are still admitted.
    "tokens": "address 120/minute",
    # Requests to the API: of one token, or of one user's session.
    "api": "account 1200/minute",
    # Wrong passwords: of one account from one address, and from one address in all.
    "login": "account 10/15minute, address 100/15minute",
    # Challenges for a passkey, before anybody is known.
    "passkeys": "address 120/minute",
    # Ways to a provider of single sign-on, before anybody is known.
    "single_sign_on": "address 120/minute",
    # Links to choose a new password: for one account from one address, and from one address.
    "forgotten": "visitor 5/hour, address 60/hour",
}


PLACES_PERCENT = "50"
"""The share of a queue's places that anonymous visitors of one address can have."""


def read_places_percent() -> int | None:
    """Return the share of one address, from 1 to 100; ``None`` for no limit."""
    name = "RATE_PLACES_PERCENT"
    value = text(name, PLACES_PERCENT)
    if value == "off" or not flag("RATE_LIMITS", default=True):
        return None
    if not value.isdecimal() or not 1 <= int(value) <= 100:
        refuse(f"{name} is a whole number from 1 to 100, or off")
    return int(value)


def read() -> dict[str, Limits]:
    """Return the limits of each door; none if ``RATE_LIMITS`` is off."""
    if not flag("RATE_LIMITS", default=True):
        return {}
    rates = {}
    for door, default in DEFAULTS.items():
        name = f"RATE_{door.upper()}"
        try:
            rates[door] = parse(text(name, default))
        except ValueError:
            refuse(f"{name} is such as {default!r}, or off")
    return rates
