"""The templates of a WhatsApp account that an agent can send: approved, and with nothing to fill in
but text. Those with a picture above or an address to complete are left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conversations.inboxes.templates import ApprovedTemplate, places_of

FIELDS = "name,language,status,components"
PAGE, PAGES = 100, 5
NEEDY = frozenset({"COPY_CODE", "OTP", "FLOW", "CATALOG", "MPM", "SPM"})


def read(data: Mapping[str, Any]) -> list[ApprovedTemplate]:
    """Return those of one page that can be sent."""
    rows = data.get("data")
    return [one for row in rows if (one := _read(row))] if isinstance(rows, list) else []


def _read(row: Mapping[str, Any]) -> ApprovedTemplate | None:
    if row.get("status") != "APPROVED":
        return None
    texts: list[str] = []
    buttons: list[str] | None = []
    for part in row.get("components", ()):
        kind, text = part.get("type"), str(part.get("text") or "")
        if kind == "BUTTONS":
            buttons = _buttons(part)
        elif kind == "BODY" or (part.get("format") in (None, "TEXT") and not places_of(text)):
            texts.append(text)
        else:
            return None
    if not texts or buttons is None:
        return None
    text = "\n\n".join(one for one in texts if one)
    return ApprovedTemplate(str(row["name"]), str(row["language"]), text, tuple(buttons))


def _buttons(part: Mapping[str, Any]) -> list[str] | None:
    """Return the texts of the buttons; ``None`` if one needs a value of its own, such as the end of
    an address or a code to copy."""
    buttons = part.get("buttons", ())
    if any(places_of(str(one.get("url"))) or one.get("type") in NEEDY for one in buttons):
        return None
    return [str(one.get("text") or "") for one in buttons]
