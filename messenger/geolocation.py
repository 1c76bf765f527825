"""A visitor's approximate place, for websites that show it, without asking any outside service.

It comes from a proxy's header (``PLACE_HEADER``) or from a local file in MaxMind's format
(``PLACE_DATABASE``; GeoLite2, DB-IP and others use it).
"""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb
from django.conf import settings
from django.http import HttpRequest

from accounts.models import Website
from core.text.cleaning import line

logger = logging.getLogger(__name__)

LIMIT = 100


def place_of(request: HttpRequest, website: Website) -> str:
    """Return town and country, as far as known; empty if the website shows none."""
    if not website.shows_place:
        return ""
    if settings.PLACE_HEADER:
        return line(request.headers.get(settings.PLACE_HEADER, ""), LIMIT)
    if settings.PLACE_DATABASE:
        return line(_looked_up(request.META.get("REMOTE_ADDR", ""), website.language), LIMIT)
    return ""


def _looked_up(address: str, language: str) -> str:
    path = Path(settings.PLACE_DATABASE)
    try:
        # The time of the file is part of the key, so that an update needs no restart.
        place = _reader(str(path), path.stat().st_mtime_ns).get(address)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError):
        logger.warning("no location: cannot read the database or the address")
        return ""
    if not isinstance(place, dict):
        return ""
    parts = [_name(place.get(kind), language) for kind in ("city", "country")]
    return ", ".join(part for part in parts if part)


@lru_cache(maxsize=2)
def _reader(path: str, _changed: int) -> maxminddb.Reader:
    """Open the database once, and again when the file has changed."""
    return maxminddb.open_database(path)


def _name(part: Any, language: str) -> str:
    names = part.get("names") if isinstance(part, dict) else None
    if not isinstance(names, dict):
        return ""
    return str(names.get(language) or names.get("en") or "")
