"""What is sent to WhatsApp: a text, buttons, a list, a file or a template. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from messenger.channels.connector import Outgoing

CAPTION = 1024
BUTTONS, BUTTON_LENGTH = 3, 20
ROWS, ROW_LENGTH = 10, 24
QUESTION = 1024
"""How long the text above buttons may be."""


def compose(outgoing: Outgoing, media: str) -> dict[str, Any]:
    """Return a message; ``media`` is the id of its file, which was uploaded before."""
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": outgoing.address,
        # Its receipts repeat this, so that a message whose answer was lost is recognized.
        "biz_opaque_callback_data": outgoing.reference,
        **_content(outgoing, media),
    }


def _content(outgoing: Outgoing, media: str) -> dict[str, Any]:
    if outgoing.template is not None:
        return {"type": "template", "template": _template(outgoing.template)}
    if outgoing.file is not None:
        return _file(outgoing, media)
    if outgoing.choices and (shown := _choices(outgoing)):
        return {"type": "interactive", "interactive": shown}
    return {"type": "text", "text": {"body": outgoing.text}}


def _file(outgoing: Outgoing, media: str) -> dict[str, Any]:
    assert outgoing.file is not None
    kind = "image" if outgoing.file.content_type.startswith("image/") else "document"
    content = {"id": media}
    if outgoing.text:
        content["caption"] = outgoing.text[:CAPTION]
    if kind == "document":
        content["filename"] = outgoing.file.name
    return {"type": kind, kind: content}


def _choices(outgoing: Outgoing) -> dict[str, Any]:
    """Return buttons, or a list if there are too many; nothing if they do not fit: then the text,
    which names them, is all."""
    question, choices = outgoing.question or outgoing.text, outgoing.choices
    if len(question) > QUESTION:
        return {}  # WhatsApp would refuse the whole message.
    if len(choices) <= BUTTONS and _fit(choices, BUTTON_LENGTH):
        buttons = [
            {"type": "reply", "reply": {"id": str(number), "title": choice}}
            for number, choice in enumerate(choices)
        ]
        return {"type": "button", "body": {"text": question}, "action": {"buttons": buttons}}
    if len(choices) <= ROWS and _fit(choices, ROW_LENGTH):
        rows = [{"id": str(number), "title": choice} for number, choice in enumerate(choices)]
        action = {"button": _("Choose"), "sections": [{"rows": rows}]}
        return {"type": "list", "body": {"text": question}, "action": action}
    return {}


def _fit(choices: Sequence[str], length: int) -> bool:
    return all(len(choice) <= length for choice in choices)


def _template(filled: dict[str, Any]) -> dict[str, Any]:
    template: dict[str, Any] = {
        "name": filled["name"],
        "language": {"code": filled["language"]},
    }
    if values := filled["values"]:
        template["components"] = [
            {"type": "body", "parameters": [_parameter(*one) for one in values.items()]}
        ]
    return template


def _parameter(name: str, value: str) -> dict[str, str]:
    """Return a value of a template, whose places have numbers or names."""
    named = {} if name.isdecimal() else {"parameter_name": name}
    return {"type": "text", **named, "text": value}
