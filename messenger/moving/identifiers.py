"""Ids for imported rows, derived from the source's own: a second import meets the first one's rows.

Pure.
"""

from __future__ import annotations

import uuid

NAMESPACE = uuid.UUID("6f2f1c1e-0c5b-4f0a-9a35-6a1f9a6f4c02")
OURS = "causerie"
"""The source of our own exports, whose ids are UUIDs already."""


def derived(website: str, source: str, kind: str, *names: str) -> uuid.UUID:
    """Return the id of a row that ``source`` calls by ``names``, on the website with this key."""
    return uuid.uuid5(NAMESPACE, "\n".join([website, source, kind, *names]))
