"""The STUN and TURN servers that browsers use to reach each other, with short-lived credentials.

Pure: no Django, no clock. The credentials are those of coturn's ``use-auth-secret``: the name is
the moment of expiry and an id, the password is the HMAC-SHA1 of the name, by the shared secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Servers:
    """The installation's servers. ``lifetime`` of credentials in seconds."""

    stun: Sequence[str]
    turn: Sequence[str]
    secret: str
    lifetime: int
    only_relay: bool

    def configuration(self, name: str, *, now: float) -> dict[str, Any]:
        """Return an ``RTCConfiguration`` for the party ``name``, as JSON. ``now``: Unix time."""
        servers: list[dict[str, Any]] = [{"urls": list(self.stun)}] if self.stun else []
        if self.turn:
            user = f"{int(now) + self.lifetime}:{name}"
            password = password_of(user, secret=self.secret)
            servers.append({"urls": list(self.turn), "username": user, "credential": password})
        return {
            "iceServers": servers,
            "iceTransportPolicy": "relay" if self.only_relay else "all",
        }


def password_of(user: str, *, secret: str) -> str:
    """Return the password of a TURN user."""
    digest = hmac.new(secret.encode(), user.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
