"""The agents' raw endpoints: send messages, get messages after a number, mark as read."""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import parse_cookie
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts import desk_session
from accounts.desk_session import DeskSession
from accounts.logins import sessions
from accounts.models import User
from conversations.inboxes import deliveries
from conversations.messages import attachments, reading, sending, validators
from conversations.models import Conversation
from core import log_context
from core.asgi.endpoint import Answer, Receive, Request, Scope, Send, serve
from core.asgi.files import Download
from core.db import async_pool
from core.rejection import Rejected, wrong_method
from core.text.cleaning import clean

PATH = re.compile(
    r"^/desk/c/(?P<conversation>\d{1,15})/(?:(?P<what>messages|read)"
    r"|attachments/(?P<file>[0-9a-f-]{36})(?:/(?P<small>thumbnail))?)/$"
)

# Plain SQL: a raw endpoint runs in the event loop, where the ORM cannot (docs/adr/0004).
HOLDS = f"""
    SELECT 1 AS yes FROM conversations_conversation c
    WHERE c.id = %(conversation)s AND c.agent_id = %(agent_id)s AND {desk_session.SESSION_VALID_SQL}
"""


def match(path: str) -> dict[str, str] | None:
    """Return the parts of a path that belongs to these endpoints, or ``None``."""
    matched = PATH.match(path)
    return matched.groupdict() if matched else None


async def handle(scope: Scope, receive: Receive, send: Send, parts: dict[str, str]) -> None:
    await serve(scope, receive, send, parts, _handle)


async def _handle(request: Request) -> tuple[int, Answer]:
    request.check_origin()
    if request.method != "GET" and "origin" not in request.headers:
        # With a cookie, a request without an origin is not ours.
        raise Rejected("origin", _("Requests from this page are not allowed."), 403)
    session_key = _session_key(request)
    desk = desk_session.cached(session_key) or await _issue(session_key)
    log_context.note(user=desk.user_id)
    if desk.language:
        translation.activate(desk.language)
    conversation = int(request.match["conversation"])
    if request.match["file"]:
        return await _file(request, conversation, desk)
    match request.match["what"], request.method:
        case "messages", "GET":
            after = reading.check_seq(parse_qs(request.query).get("after_seq", ["0"])[0])
            await _check_visible(conversation, desk)
            return 200, await _news(conversation, after, desk.agent_id)
        case "messages", "POST":
            body = await request.json()
            if desk.limits[1]:
                await database_sync_to_async(sessions.touch_desk)(desk.session_key, desk.limits)
            return await _send(conversation, desk, body)
        case "read", "POST":
            body = await request.json()
            seq = reading.check_seq(body.get("seq"))
            await reading.read_by_agent(conversation=conversation, desk=desk, seq=seq)
            return 204, None
    raise wrong_method()


async def _news(conversation: int, after: int, agent: int | None) -> dict[str, Any]:
    """Return the messages after ``after``, and the ticks of those that leave by an inbox."""
    news = await reading.for_agent(conversation=conversation, after_seq=after, agent=agent)
    if news["by_inbox"]:
        rows = await database_sync_to_async(deliveries.of)(conversation)
        news["deliveries"] = deliveries.shown(rows, _)
    return news


async def _send(
    conversation: int, desk: DeskSession, body: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    attachment = validators.check_attachment(body.get("attachment"))
    say = partial(
        sending.send_as_agent,
        conversation=conversation,
        client_id=validators.check_client_id(body.get("client_id")),
        body=validators.check_body(body.get("body"), may_be_empty=attachment is not None),
        attachment=attachment,
        at=timezone.now(),
    )
    try:
        sent = await say(desk=desk)
    except Rejected as rejected:
        if rejected.code not in {"not_found", "not_on_desk"}:
            raise
        # Is it the conversation, or has the cached session become invalid (logout, new password)?
        # Load it again: this raises 401 if the session has ended.
        fresh = await _issue(desk.session_key)
        if fresh == desk:
            raise
        sent = await say(desk=fresh)
    return (201 if sent.is_new else 200), {"message": sent.frame}


async def _file(
    request: Request, conversation: int, desk: DeskSession
) -> tuple[int, dict[str, Any] | Download]:
    """Receive an upload (PUT, under an id made by the client), or return the bytes of one."""
    file = attachments.check_id(request.match["file"])
    is_small = request.match["small"] is not None
    if request.method == "GET":
        await _check_visible(conversation, desk)
        key = {"id": file, "conversation": conversation}
        return 200, await attachments.read(attachments.OF_CONVERSATION, key, small=is_small)
    if request.method != "PUT" or is_small:
        raise wrong_method()
    at = timezone.now()
    into = await attachments.may_upload_as_agent(conversation=conversation, desk=desk, at=at)
    return await attachments.receive(request, attachment_id=file, into=into, at=at)


def _session_key(request: Request) -> str:
    cookies = parse_cookie(request.headers.get("cookie", ""))
    return clean(cookies.get(settings.SESSION_COOKIE_NAME, ""))


async def _issue(session_key: str) -> DeskSession:
    desk: DeskSession | None = None
    if session_key:
        desk = await database_sync_to_async(desk_session.load)(session_key)
    if desk is None:
        raise Rejected("session", _("You are no longer logged in. Please log in again."), 401)
    return desk


async def _check_visible(conversation: int, desk: DeskSession) -> None:
    values = {
        "conversation": conversation,
        "agent_id": desk.agent_id,
        **desk.proof,
    }
    if await async_pool.fetch_one(HOLDS, values) is not None:
        return
    fresh = await _issue(desk.session_key)
    if not await database_sync_to_async(_is_visible)(conversation, fresh.user_id):
        raise Rejected("not_found", _("This conversation does not exist."), 404)


def _is_visible(conversation: int, user_id: int) -> bool:
    user = User.objects.get(pk=user_id)
    return Conversation.objects.visible_to(user).filter(pk=conversation).exists()
