"""The STUN and TURN servers for calls, from the environment."""

from __future__ import annotations

import re

from config.environment import flag, number, refuse, text, words
from conversations.calls.servers import Servers

ADDRESS = r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?"
STUN = re.compile(rf"stuns?:{ADDRESS}")
TURN = re.compile(rf"turns?:{ADDRESS}(?:\?transport=(?:udp|tcp))?")


def read() -> Servers:
    """Return the servers; refuse to start with addresses that no browser would take."""
    stun, turn = words("STUN_SERVERS", []), words("TURN_SERVERS", [])
    for name, addresses, pattern in (("STUN_SERVERS", stun, STUN), ("TURN_SERVERS", turn, TURN)):
        for one in addresses:
            if not pattern.fullmatch(one):
                scheme = name[:4].lower()
                refuse(f"{name} are {scheme}:the.name.of.the.server:3478, not {one!r}")
    secret, only_relay = text("TURN_SECRET"), flag("CALLS_ONLY_RELAYED", default=False)
    if turn and not secret:
        refuse("TURN_SECRET is missing: the static-auth-secret of the TURN servers")
    if only_relay and not turn:
        refuse("CALLS_ONLY_RELAYED needs TURN_SERVERS")
    lifetime = 3600 * number("TURN_HOURS", 8, 1, 48)
    return Servers(stun, turn, secret, lifetime, only_relay)
