"""Templates of a channel: texts that its provider has approved, with places to fill in.

A provider may deliver nothing else once a person has been silent for longer than
``Limits.reply_window``. The list is copied from the provider to ``Inbox.templates``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from conversations.messages.rich_content import as_text
from conversations.messages.validators import check_body
from conversations.models import Inbox
from core.rejection import Rejected
from core.text.cleaning import line

VALUE_LENGTH = 500
PLACE = re.compile(r"\{\{\s*([a-z0-9_]{1,60})\s*\}\}")


@dataclass(frozen=True, slots=True)
class ApprovedTemplate:
    """A template in one language; ``text`` has places such as {{1}} or {{order}}."""

    name: str
    language: str
    text: str
    buttons: tuple[str, ...] = ()

    @property
    def places(self) -> list[str]:
        return places_of(self.text)

    @property
    def key(self) -> str:
        return f"{self.name}/{self.language}"

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the text as the person reads it."""
        return PLACE.sub(lambda place: values[place[1]], self.text)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def places_of(text: str) -> list[str]:
    """Return the names of the places of a text, each once, in their order."""
    return list(dict.fromkeys(PLACE.findall(text)))


def of(inbox: Inbox) -> list[ApprovedTemplate]:
    """Return the stored templates of an inbox."""
    return [
        ApprovedTemplate(**{**row, "buttons": tuple(row["buttons"])}) for row in inbox.templates
    ]


def find(inbox: Inbox, key: str) -> ApprovedTemplate | None:
    return next((one for one in of(inbox) if one.key == key), None)


def compose(inbox: Inbox | None, key: str, values: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return the body and the rich content of a message made of a template; reject what the
    provider would refuse."""
    template = find(inbox, key) if inbox is not None else None
    if template is None:
        raise Rejected("template", _("This template is no longer available."), 409)
    given = {place: line(str(values.get(place) or ""), VALUE_LENGTH) for place in template.places}
    if missing := [place for place, value in given.items() if not value]:
        text = _("Fill in every place of the template: %(places)s.")
        raise Rejected("invalid", text % {"places": ", ".join(missing)}, 400)
    text = check_body(template.filled(given))
    shown = {"name": template.name, "language": template.language, "values": given}
    offer = {"text": text, "choices": list(template.buttons), "cards": [], "template": shown}
    return check_body(as_text(offer)), offer
