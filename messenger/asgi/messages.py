"""The visitors' raw endpoints: send messages, get messages after a number, mark as read."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.messages import attachments, reading, sending, validators
from core.asgi.endpoint import Answer, Receive, Request, Scope, Send, serve
from core.asgi.files import Download
from core.rates import counters
from core.rejection import Rejected, wrong_method
from messenger.mail.links import PREFIX
from messenger.queries import within
from messenger.visitors import hash_token, token_hash_for
from routing.models import DeskPresence

PATH = re.compile(
    r"^/messenger/(?P<key>[A-Za-z0-9_-]+)/(?:conversations/(?P<conversation>[0-9a-f-]{36})/)?"
    r"(?:(?P<what>messages|read)|attachments/(?P<file>[0-9a-f-]{36})(?:/(?P<small>thumbnail))?)/$"
)


def match(path: str) -> dict[str, str] | None:
    """Return the parts of a path that belongs to these endpoints, or ``None``."""
    matched = PATH.match(path)
    # Only an attachment may come before its conversation.
    return matched.groupdict() if matched and (matched["conversation"] or matched["file"]) else None


async def handle(scope: Scope, receive: Receive, send: Send, parts: dict[str, str]) -> None:
    await serve(scope, receive, send, parts, _handle)


async def _handle(request: Request) -> tuple[int, Answer]:
    try:
        return await _answer(request)
    except Rejected as rejected:
        if rejected.status in {401, 404}:  # for somebody without the right token, all is unknown
            # An address that guesses uses up its allowance; requests that succeed cost nothing.
            await counters.hit_async("tokens", address=request.address)
        raise


async def _answer(request: Request) -> tuple[int, Answer]:
    request.check_origin()
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token:
        raise Rejected(
            "token", _("We do not recognise you yet. Please open the Messenger again."), 401
        )
    if request.match.get("conversation") is None:
        return await _file_before(request, hash_token(token))
    try:
        conversation = uuid.UUID(request.match["conversation"])
    except ValueError:
        raise Rejected("not_found", _("This conversation does not exist."), 404) from None
    token_hash = hash_token(token)
    if token.startswith(PREFIX):
        token_hash = await database_sync_to_async(token_hash_for)(token, conversation)
    if request.match["file"]:
        return await _file(request, conversation, token_hash)
    match request.match["what"], request.method:
        case "messages", "GET":
            after = parse_qs(request.query).get("after_seq", ["0"])[0]
            answer = await reading.for_visitor(
                conversation=conversation,
                token_hash=token_hash,
                after_seq=reading.check_seq(after),
                at=timezone.now(),
                presence=DeskPresence,
            )
            shown = answer["conversation"]
            if shown["place"] is not None:
                shown["within"] = await database_sync_to_async(within)(
                    conversation, shown["place"], at=timezone.now()
                )
            return 200, answer
        case "messages", "POST":
            return await _send(request, conversation, token_hash)
        case "read", "POST":
            body = await request.json()
            await reading.read_by_visitor(
                conversation=conversation,
                token_hash=token_hash,
                seq=reading.check_seq(body.get("seq")),
            )
            return 204, None
    raise wrong_method()


async def _send(
    request: Request, conversation: uuid.UUID, token_hash: str
) -> tuple[int, dict[str, Any]]:
    key = request.match["key"]
    await counters.hit_async("messages", visitor=token_hash, address=request.address, website=key)
    body = await request.json()
    attachment = validators.check_attachment(body.get("attachment"))
    sent = await sending.send_as_visitor(
        conversation=conversation,
        token_hash=token_hash,
        client_id=validators.check_client_id(body.get("client_id")),
        body=validators.check_body(body.get("body"), may_be_empty=attachment is not None),
        attachment=attachment,
        at=timezone.now(),
    )
    return (201 if sent.is_new else 200), {"message": sent.frame}


async def _file(
    request: Request, conversation: uuid.UUID, token_hash: str
) -> tuple[int, dict[str, Any] | Download]:
    """Receive an upload (PUT, under an id made by the client), or return the bytes of one."""
    key = {"conversation": conversation, "token_hash": token_hash}
    if request.method == "GET":
        return 200, await _read(request, attachments.OF_VISITOR, key)
    at = _check_put(request)
    into = await attachments.may_upload_as_visitor(
        conversation=conversation, token_hash=token_hash, at=at
    )
    return await _receive(request, into, at)


async def _file_before(request: Request, token_hash: str) -> tuple[int, dict[str, Any] | Download]:
    """The same for an attachment that comes before its conversation."""
    if request.method == "GET":
        key = {"token_hash": token_hash}
        return 200, await _read(request, attachments.OF_VISITOR_BEFORE, key)
    at = _check_put(request)
    into = await attachments.may_upload_before(
        website=request.match["key"], token_hash=token_hash, at=at
    )
    return await _receive(request, into, at)


async def _read(request: Request, query: str, key: dict[str, Any]) -> Download:
    file = attachments.check_id(request.match["file"])
    is_small = request.match["small"] is not None
    return await attachments.read(query, key | {"id": file}, small=is_small)


def _check_put(request: Request) -> datetime:
    """Return the moment of an upload; refuse any other request."""
    if request.method != "PUT" or request.match.get("small") is not None:
        raise wrong_method()
    return timezone.now()


async def _receive(
    request: Request, into: dict[str, Any], at: datetime
) -> tuple[int, dict[str, Any]]:
    file = attachments.check_id(request.match["file"])
    return await attachments.receive(request, attachment_id=file, into=into, at=at)
