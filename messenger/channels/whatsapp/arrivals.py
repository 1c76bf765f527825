"""What WhatsApp delivers: messages of people, and what became of ours. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from conversations.models import OutboundStatus
from messenger.channels.connector import Incoming, Receipt, RemoteFile
from messenger.channels.whatsapp.errors import sentence_of

FILES = {"image": ".jpg", "video": ".mp4", "audio": ".ogg", "document": "", "sticker": ".webp"}
"""The kinds of files, with what their names end in: only documents have names of their own."""

SILENT = frozenset({"reaction", "system"})
"""A thumb under a message, a changed number: no words, and no reason to begin a conversation."""

STATUSES = {
    "sent": OutboundStatus.SENT,
    "delivered": OutboundStatus.DELIVERED,
    "read": OutboundStatus.READ,
    "played": OutboundStatus.READ,
    "failed": OutboundStatus.FAILED,
}


def read(delivery: Mapping[str, Any], number: str) -> Iterator[Incoming | Receipt]:
    """Yield the news about one phone number in a delivery, which may hold those of others."""
    for entry in delivery["entry"]:
        for change in entry["changes"]:
            value = change["value"]
            # An app has one address for all its numbers: another number's news may come here.
            if change["field"] != "messages" or value["metadata"]["phone_number_id"] != number:
                continue
            names = {one["wa_id"]: one["profile"]["name"] for one in value.get("contacts", ())}
            for message in value.get("messages", ()):
                if message["type"] not in SILENT:
                    yield _incoming(message, names)
            for status in value.get("statuses", ()):
                if status["status"] in STATUSES:
                    yield _receipt(status)


def _incoming(message: Mapping[str, Any], names: Mapping[str, str]) -> Incoming:
    text, files = _content(message)
    return Incoming(
        provider_id=str(message["id"]),
        address=str(message["from"]),
        text=text,
        name=str(names.get(message["from"], "")),
        sent_at=datetime.fromtimestamp(int(message["timestamp"]), UTC).isoformat(),
        files=files,
    )


def _receipt(status: Mapping[str, Any]) -> Receipt:
    errors = status.get("errors") or [{}]
    became = STATUSES[status["status"]]
    return Receipt(
        provider_id=str(status["id"]),
        status=became,
        reason=sentence_of(errors[0]) if became == OutboundStatus.FAILED else "",
        reference=str(status.get("biz_opaque_callback_data") or ""),
    )


def _content(message: Mapping[str, Any]) -> tuple[str, tuple[RemoteFile, ...]]:
    kind = message["type"]
    content = message.get(kind)
    if kind in FILES and isinstance(content, dict):
        name = str(content.get("filename") or f"{kind}{FILES[kind]}")
        return str(content.get("caption") or ""), (RemoteFile(str(content["id"]), name),)
    if kind in {"text", "button", "interactive", "location", "contacts", "order"}:
        return READERS[kind](content), ()
    return _("[WhatsApp does not hand out this message. Ask for it in another form.]"), ()


def _pressed(content: Mapping[str, Any]) -> str:
    """Return the text of the button or of the line of a list; of a form, what was filled in."""
    answer = content[content["type"]]
    return str(answer.get("title") or answer.get("body") or answer.get("response_json") or "")


def _place(content: Mapping[str, Any]) -> str:
    position = f"{float(content['latitude'])},{float(content['longitude'])}"
    named = [content.get("name"), content.get("address")]
    link = f"https://www.openstreetmap.org/search?query={position}"
    return "\n".join([str(one) for one in named if one] + [link])


def _contacts(content: list[dict[str, Any]]) -> str:
    lines = []
    for one in content:
        phones = [str(phone.get("phone") or "") for phone in one.get("phones", ())]
        lines.append(" ".join([str(one["name"].get("formatted_name") or ""), *phones]).strip())
    return "\n".join(lines)


def _order(content: Mapping[str, Any]) -> str:
    """Return the words of an order from the catalogue, and its lines."""
    lines = [
        f"{one['quantity']} × {one['product_retailer_id']}: {one['item_price']} {one['currency']}"
        for one in content["product_items"]
    ]
    return "\n".join([str(content.get("text") or ""), *lines]).strip()


READERS: dict[str, Any] = {
    "text": lambda content: str(content["body"]),
    "button": lambda content: str(content["text"]),
    "interactive": _pressed,
    "location": _place,
    "contacts": _contacts,
    "order": _order,
}
