"""Any gateway, of text messages or something else, that speaks our own small protocol.

It delivers with a token of the API and gets what it shall send as a signed webhook (Standard
Webhooks). docs/channels.md describes both, with an example.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts import rights, tokens
from conversations.inboxes.kinds import Limits
from conversations.models import Inbox, OutboundStatus
from conversations.webhooks import signing
from core.rejection import Rejected
from core.text.strict_json import parse_object
from messenger.channels import provider_calls
from messenger.channels.connector import (
    Connector,
    Disconnected,
    Forged,
    Incoming,
    Later,
    Outgoing,
    OutgoingFile,
    Receipt,
    RemoteFile,
    Request,
    Setting,
    Undeliverable,
    Unreadable,
)

SCOPE = "inboxes"
NO_SECRET = gettext_noop("The signing secret is not “whsec_” followed by base64.")
REFUSED = gettext_noop("The gateway refuses our messages: it does not accept the signature.")
STATUSES = {
    "sent": OutboundStatus.SENT,
    "delivered": OutboundStatus.DELIVERED,
    "read": OutboundStatus.READ,
    "failed": OutboundStatus.FAILED,
}


class Gateway(Connector):
    """A gateway outside. What it delivers is trusted as far as its token reaches."""

    kind = "gateway"
    label = _("Gateway (SMS and others)")
    icon = "messages-square"
    limits = Limits(text=1600, file_bytes=5 * 1024 * 1024)
    settings = (
        Setting("url", _("address of the gateway"), _("Messages to people are posted to it.")),
        Setting(
            "secret",
            _("signing secret"),
            _("“whsec_” and at least 24 bytes in base64. The gateway verifies messages with it."),
        ),
    )

    def verify(self, inbox: Inbox, request: Request) -> None:
        kind, _space, text = request.headers.get("authorization", "").partition(" ")
        token = tokens.find(text, at=timezone.now()) if kind.lower() == "bearer" else None
        if token is None or not tokens.permits(token, SCOPE, writes=True):
            raise Forged
        # As for everything about inboxes: an administrator's, confined to the token's websites.
        reached = rights.websites_of(token.owner).filter(pk=inbox.website_id)
        if not rights.administers(token.owner) or not reached.exists():
            raise Forged

    def parse(self, inbox: Inbox, request: Request) -> Sequence[Incoming | Receipt]:
        try:
            return [_news(parse_object(request.body))]
        except (Rejected, KeyError, TypeError, ValueError, AttributeError):
            raise Unreadable from None

    def fetch(self, inbox: Inbox, file: RemoteFile) -> bytes:
        return provider_calls.download(file.reference)

    def connect(self, inbox: Inbox, door: str) -> None:
        """Only check the secret: the gateway is told the door by its own people."""
        _key(inbox)

    def send(self, inbox: Inbox, outgoing: Outgoing) -> str:
        message = {
            # The same in each attempt, as the header webhook-id: a repeat can be recognized.
            "id": str(outgoing.id),
            "to": outgoing.address,
            "text": outgoing.text,
            "choices": list(outgoing.choices),
            "file": _file(outgoing.file) if outgoing.file else None,
        }
        body = json.dumps({"type": "message.send", "data": message})
        signed = signing.headers_for(str(outgoing.id), body, [_key(inbox)], at=timezone.now())
        reply = provider_calls.call(
            "POST",
            str(inbox.options.get("url", "")),
            body=body.encode(),
            headers={"Content-Type": "application/json", **signed},
        )
        if reply.status == 429:
            raise Later("HTTP 429", seconds=reply.retry_after)
        if reply.status in {401, 403}:
            raise Disconnected(REFUSED)
        if not reply.is_success:
            raise Undeliverable(str(reply.data.get("error") or f"HTTP {reply.status}")[:200])
        return str(reply.data.get("id") or outgoing.id)


def _news(event: Mapping[str, Any]) -> Incoming | Receipt:
    if event["type"] == "receipt":
        reason = str(event.get("reason") or "")
        return Receipt(_text(event, "id"), STATUSES[event["status"]], reason)
    if event["type"] != "message":
        raise ValueError(event["type"])
    return Incoming(
        provider_id=_text(event, "id"),
        address=_text(event, "from"),
        text=str(event.get("text") or ""),
        name=str(event.get("name") or ""),
        language=str(event.get("language") or "")[:2],
        sent_at=str(event.get("sent_at") or ""),
        files=tuple(
            RemoteFile(_text(file, "url"), str(file.get("name") or "file"))
            for file in event.get("files") or ()
        ),
    )


def _text(event: Mapping[str, Any], name: str) -> str:
    """Return what must be there: an empty id would be the same message again and again."""
    value = event[name]
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise ValueError(name)
    return str(value)


def _file(file: OutgoingFile) -> dict[str, str]:
    content = base64.b64encode(file.content).decode()
    return {"name": file.name, "content_type": file.content_type, "content": content}


def _key(inbox: Inbox) -> str:
    """Return the secret in the form that signs; raise ``Disconnected`` if it has another."""
    secret = inbox.secret.reveal() if inbox.secret else ""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith("whsec_") or len(key) < 24:
        raise Disconnected(NO_SECRET)
    return secret
