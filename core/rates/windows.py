"""Rate limits as plain data: whom a door counts, and how long somebody has to wait.

Pure: it knows neither Valkey nor a request. The counts are those of the library's sliding window:
of the window that has ended, the part that still lies within the period, and all of the present
one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network

import limits


class By(StrEnum):
    """Whom a limit counts. One address may be a whole classroom."""

    VISITOR = "visitor"
    ACCOUNT = "account"
    ADDRESS = "address"
    WEBSITE = "website"


Limits = Mapping[By, limits.RateLimitItem]


@dataclass(frozen=True, slots=True)
class Window:
    """One limit of a door, for one visitor, address or website."""

    by: By
    key: str
    amount: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Count:
    """What a window has counted before a request, and whether the request was counted, too."""

    previous: int
    previous_ends_in: float
    current: int
    current_ends_in: float
    is_admitted: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    by: By
    seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a limit is left after a request, and until when, in seconds."""

    amount: int
    period: int
    remaining: int
    resets_in: int


def parse(text: str) -> Limits:
    """Return the limits in ``text``, such as ``visitor 40/minute, address 1200/minute``; "off" and
    "" are none. Raise ``ValueError`` if it is not understood."""
    if text.strip().lower() in {"", "off"}:
        return {}
    rates = {}
    for part in text.split(","):
        by, _space, rate = part.strip().partition(" ")
        rates[By(by)] = limits.parse(rate)
    return rates


def subject_of(address: str) -> str:
    """Return what is counted of an internet address: all of IPv4, and of IPv6 the network of 64
    bits that one household or server has to itself. It is "" if there is none, as behind a Unix
    socket."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed), 64), strict=False).network_address)
    return str(parsed)


def of(door: str, its_limits: Limits, subjects: Mapping[By, str]) -> list[Window]:
    """Return the windows that a request falls into; one without a subject counts nobody."""
    return [
        Window(by, f"rate:{door}:{by}:{subjects[by]}", item.amount, item.get_expiry())
        for by, item in its_limits.items()
        if subjects.get(by)
    ]


def decide(windows: Sequence[Window], counts: Sequence[Count]) -> Refusal | None:
    """Return the refusal with the longest wait, or ``None`` if every window admits the request."""
    refusals = [
        Refusal(window.by, wait_of(window, count))
        for window, count in zip(windows, counts, strict=True)
        if not count.is_admitted
    ]
    return max(refusals, key=lambda refusal: refusal.seconds, default=None)


def standing_of(windows: Sequence[Window], counts: Sequence[Count]) -> Standing:
    """Return the standing in the window of which the least is left."""
    standings = [_standing(*pair) for pair in zip(windows, counts, strict=True)]
    return min(standings, key=lambda standing: standing.remaining)


def _standing(window: Window, count: Count) -> Standing:
    used = count.previous * count.previous_ends_in / window.seconds + count.current
    remaining = math.floor(window.amount - used) - 1 if count.is_admitted else 0
    # The present window ends with its key, which lives for two periods.
    ends_in = count.current_ends_in - window.seconds if count.current else window.seconds
    return Standing(window.amount, window.seconds, max(0, remaining), max(1, math.ceil(ends_in)))


def wait_of(window: Window, count: Count) -> int:
    """Return the seconds until the window has room for one request again: at least one."""
    room = window.amount - 1 - count.current
    if room >= 0:
        # Of the window that has ended, ever less lies within the period.
        share = (room + 1) * window.seconds / max(count.previous, 1)
        wait = count.previous_ends_in - share
    else:
        # The present window must end, and then leave room itself.
        ends_in = max(count.current_ends_in - window.seconds, 0)
        wait = ends_in + window.seconds * (1 - window.amount / count.current)
    return max(1, math.floor(wait) + 1)
