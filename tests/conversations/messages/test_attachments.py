"""Uploads through the real endpoints: stored once, sent once, shown to those who may see them."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import uuid
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from PIL import Image

import desk.asgi
import messenger.asgi.messages
from accounts.models import Agent, Role
from conversations.lifecycle import verbs
from conversations.lifecycle.actors import agent as actor
from conversations.messages import attachments
from conversations.models import Attachment, CloseReason, Conversation, Message
from core.asgi.files import UPLOAD_BYTES
from core.db import async_pool
from core.rejection import Rejected
from messenger.visitors import hash_token
from routing.models import RuleStep
from tests.clock import NOW
from tests.core.test_storage import fill_up
from tests.factories import AgentFactory, UserFactory, VisitorFactory, on_desk

T = TypeVar("T")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media")]


@pytest.fixture
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


@dataclass
class Caller:
    """A caller of a raw endpoint: a visitor with a token, or an agent with a session."""

    base: str
    endpoint: Any
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        return run(self.asking(method, path, body, **headers))

    async def asking(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        where, _mark, query = f"{self.base}{path}".partition("?")
        match = self.endpoint.match(where)
        assert match is not None, where
        given = {"host": "localhost", "content-length": str(len(body))} | self.headers | headers
        scope = {
            "type": "http",
            "method": method,
            "path": where,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await self.endpoint.handle(scope, receive, send, match)

        talk = ApplicationCommunicator(application, scope)
        half = len(body) // 2
        await talk.send_input({"type": "http.request", "body": body[:half], "more_body": True})
        await talk.send_input({"type": "http.request", "body": body[half:], "more_body": False})
        start = await talk.receive_output(10)
        content = await talk.receive_output(10)
        shown = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], shown, content["body"])

    def upload(self, content: bytes, name: str = "a.png", id: str = "") -> Answer:
        return self.ask("PUT", f"attachments/{id or uuid.uuid4()}/?name={name}", content)

    def say(self, attachment: str | None, body: str = "", client_id: str = "") -> Answer:
        return run(self.saying(attachment, body, client_id))

    async def saying(self, attachment: str | None, body: str = "", client_id: str = "") -> Answer:
        message = {"client_id": client_id or str(uuid.uuid4()), "body": body}
        sent = json.dumps(message | ({"attachment": attachment} if attachment else {})).encode()
        return await self.asking("POST", "messages/", sent, **{"content-type": "application/json"})


def run(asking: Awaitable[T]) -> T:
    async def main() -> T:
        try:
            return await asking
        finally:
            await async_pool.close()

    return asyncio.run(main())


@pytest.fixture
def conversation(step: RuleStep, agent: Agent) -> Conversation:
    visitor = VisitorFactory(website=step.rule.website, token_hash=hash_token("mine"))
    return on_desk(step, agent, visitor=visitor)


@pytest.fixture
def visitor(conversation: Conversation) -> Caller:
    return as_visitor(conversation, "mine")


def as_visitor(conversation: Conversation, token: str) -> Caller:
    base = f"/messenger/{conversation.website.key}/conversations/{conversation.public_id}/"
    return Caller(base, messenger.asgi.messages, {"authorization": f"Bearer {token}"})


@pytest.fixture
def alice(conversation: Conversation, agent: Agent) -> Caller:
    return as_agent(conversation, agent)


def as_agent(conversation: Conversation, agent: Agent) -> Caller:
    client = Client()
    client.force_login(agent.user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    headers = {"cookie": cookie, "origin": "http://localhost"}
    return Caller(f"/desk/c/{conversation.pk}/", desk.asgi, headers)


def png(side: int = 700) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def files_in(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_uploaded_image_is_sent_and_shown_to_both_sides(visitor: Caller, alice: Caller) -> None:
    up = visitor.upload(png(), "chat%20noir.png")
    assert up.status == 201
    attachment = up.json["attachment"]
    assert (attachment["name"], attachment["type"], attachment["width"]) == (
        "chat noir.png",
        "image/png",
        700,
    )
    sent = visitor.say(attachment["id"])
    assert (sent.status, sent.json["message"]["attachment"]) == (201, attachment)
    assert sent.json["message"]["body"] == ""
    for reader in (visitor, alice):
        shown = reader.ask("GET", "messages/?after_seq=0").json["messages"][-1]
        assert shown["attachment"] == attachment
        whole = reader.ask("GET", f"attachments/{attachment['id']}/")
        assert Image.open(io.BytesIO(whole.body)).size == (700, 700)
        small = reader.ask("GET", f"attachments/{attachment['id']}/thumbnail/")
        assert small.headers["content-type"] == "image/webp"
        assert Image.open(io.BytesIO(small.body)).size == (640, 640)


def test_downloads_have_headers_that_prevent_execution(visitor: Caller) -> None:
    attachment = visitor.upload(b"%PDF-1.7 x", "a%22%0D%0Ab.pdf").json["attachment"]
    headers = visitor.ask("GET", f"attachments/{attachment['id']}/").headers
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''a%22%20b.pdf"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "private" in headers["cache-control"]


def test_a_full_disk_refuses_files_and_takes_messages(
    visitor: Caller, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = str(uuid.uuid4())
    with monkeypatch.context() as patch:
        fill_up(patch)
        refused = visitor.upload(png(), id=one)
        assert (refused.status, refused.code) == (507, "no_space")
        assert "no room for files" in refused.json["error"]["message"]
        assert (files_in(media), Attachment.objects.count()) == (0, 0)
        assert visitor.say(None, "Bonjour").status == 201
    assert visitor.upload(png(), id=one).status == 201


def test_retried_upload_is_stored_once(visitor: Caller, media: Path) -> None:
    same = str(uuid.uuid4())
    first, second = visitor.upload(png(), id=same), visitor.upload(png(), id=same)
    assert (first.status, second.status) == (201, 200)
    assert first.json == second.json
    assert (Attachment.objects.count(), files_in(media)) == (1, 2)


def test_concurrent_equal_uploads_are_stored_once(visitor: Caller, media: Path) -> None:
    same = f"attachments/{uuid.uuid4()}/?name=a.png"

    async def both() -> list[Answer]:
        going = (visitor.asking("PUT", same, png()) for _ in range(2))
        return list(await asyncio.gather(*going))

    answers = run(both())
    assert sorted(answer.status for answer in answers) == [200, 201]
    assert (Attachment.objects.count(), files_in(media)) == (1, 2)


def test_attachment_can_be_sent_only_once(visitor: Caller) -> None:
    attachment_id = visitor.upload(png()).json["attachment"]["id"]
    same = str(uuid.uuid4())
    assert visitor.say(attachment_id, client_id=same).status == 201
    again = visitor.say(attachment_id, client_id=same)
    assert (again.status, again.json["message"]["attachment"]["id"]) == (200, attachment_id)
    other = visitor.say(attachment_id)
    assert (other.status, other.code) == (409, "attachment")
    assert Message.objects.count() == 1


def test_concurrent_messages_cannot_share_an_attachment(visitor: Caller) -> None:
    attachment_id = visitor.upload(png()).json["attachment"]["id"]

    async def both() -> list[Answer]:
        return list(
            await asyncio.gather(visitor.saying(attachment_id), visitor.saying(attachment_id))
        )

    assert sorted(answer.status for answer in run(both())) == [201, 409]
    assert Message.objects.count() == 1


def test_same_id_without_the_attachment_is_a_conflict(visitor: Caller) -> None:
    attachment_id = visitor.upload(png()).json["attachment"]["id"]
    same = str(uuid.uuid4())
    visitor.say(attachment_id, client_id=same, body="voilà")
    assert visitor.say(None, client_id=same, body="voilà").code == "conflict"


def test_message_needs_text_or_an_attachment(visitor: Caller) -> None:
    attachment_id = visitor.upload(png()).json["attachment"]["id"]
    assert visitor.say(attachment_id, body="voilà").json["message"]["body"] == "voilà"
    assert (visitor.say(None).status, visitor.say(None).code) == (400, "empty")


def test_only_the_uploader_can_send_an_attachment(visitor: Caller, alice: Caller) -> None:
    of_visitor = visitor.upload(png()).json["attachment"]["id"]
    of_alice = alice.upload(png()).json["attachment"]["id"]
    assert (alice.say(of_visitor).status, alice.say(of_visitor).code) == (409, "attachment")
    assert (visitor.say(of_alice).status, visitor.say(of_alice).code) == (409, "attachment")
    assert alice.say(of_alice).status == 201
    assert visitor.say(str(uuid.uuid4())).code == "attachment"
    assert visitor.say("nonsense").status == 400


def test_attachment_of_another_conversation_is_not_found(
    visitor: Caller, alice: Caller, step: RuleStep, agent: Agent
) -> None:
    attachment_id = visitor.upload(png()).json["attachment"]["id"]
    visitor.say(attachment_id)
    stranger = VisitorFactory(website=step.rule.website, token_hash=hash_token("other"))
    other = on_desk(step, agent, visitor=stranger)
    path = f"attachments/{attachment_id}/"
    assert as_visitor(other, "other").ask("GET", path).status == 404
    for caller in (
        Caller(visitor.base, messenger.asgi.messages, {"authorization": "Bearer other"}),
    ):
        assert caller.ask("GET", path).status == 404
        assert caller.upload(png()).status == 404
    assert Caller(visitor.base, messenger.asgi.messages).ask("GET", path).status == 401
    assert as_agent(other, agent).ask("GET", path).status == 404  # it is in another conversation
    outsider: Agent = AgentFactory()
    conversation = Conversation.objects.get(visitor__token_hash=hash_token("mine"))
    assert as_agent(conversation, outsider).ask("GET", path).status == 404
    manager = AgentFactory(user=UserFactory(role=Role.MANAGER))
    step.group.managers.add(manager.user)
    assert as_agent(conversation, manager).ask("GET", path).status == 200


def test_attachment_id_of_another_visitor_is_a_conflict(
    visitor: Caller, step: RuleStep, agent: Agent, media: Path
) -> None:
    same = str(uuid.uuid4())
    visitor.upload(png(), id=same)
    stranger = VisitorFactory(website=step.rule.website, token_hash=hash_token("other"))
    answer = as_visitor(on_desk(step, agent, visitor=stranger), "other").upload(png(), id=same)
    assert (answer.status, answer.code) == (409, "conflict")
    assert files_in(media) == 2


def test_agent_cannot_upload_to_a_colleagues_conversation(
    conversation: Conversation, step: RuleStep, media: Path
) -> None:
    colleague: Agent = AgentFactory()
    step.group.members.add(colleague)
    assert as_agent(conversation, colleague).upload(png()).status == 404
    assert files_in(media) == 0


def test_upload_from_another_origin_is_refused(alice: Caller) -> None:
    assert (
        alice.ask("PUT", f"attachments/{uuid.uuid4()}/", png(), origin="http://evil").status == 403
    )
    del alice.headers["origin"]
    assert alice.upload(png()).status == 403


def test_closed_conversation_accepts_no_file(
    visitor: Caller, conversation: Conversation, agent: Agent
) -> None:
    verbs.close(conversation.pk, reason=CloseReason.RESOLVED, actor=actor(agent.user), at=NOW)
    assert visitor.upload(png()).status == 404


def test_attachment_wakes_a_snoozed_conversation(
    visitor: Caller, conversation: Conversation, agent: Agent
) -> None:
    verbs.snooze(
        conversation.pk,
        until=NOW + timedelta(hours=3),
        keep=True,
        auto_close=False,
        actor=actor(agent.user),
        at=NOW,
    )
    attachment = visitor.upload(png()).json["attachment"]
    sent = visitor.say(attachment["id"])
    assert (sent.status, sent.json["message"]["attachment"]) == (201, attachment)
    conversation.refresh_from_db()
    assert conversation.status == "assigned"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 415, "unacceptable"),
        (b"MZ" + bytes(100), 415, "unacceptable"),
        (b"x" * (UPLOAD_BYTES + 1), 413, "too_large"),
    ],
)
def test_unsupported_files_are_refused_with_a_message(
    visitor: Caller, media: Path, content: bytes, status: int, code: str
) -> None:
    answer = visitor.upload(content)
    assert (answer.status, answer.code) == (status, code)
    assert len(answer.json["error"]["message"]) > 10
    assert files_in(media) == 0


def test_refusal_is_in_the_readers_language(visitor: Caller) -> None:
    visitor.headers["accept-language"] = "fr"
    assert "fichier est vide" in visitor.upload(b"").json["error"]["message"]


def test_size_limit_ignores_a_false_content_length(visitor: Caller) -> None:
    too_much = b"x" * (UPLOAD_BYTES + 1)
    path = f"attachments/{uuid.uuid4()}/"
    assert visitor.ask("PUT", path, too_much, **{"content-length": "5"}).status == 413


def test_uploads_are_rate_limited(
    visitor: Caller, alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "LATELY_LIMIT", 2)
    assert [visitor.upload(png(8)).status for _ in range(3)] == [201, 201, 429]
    assert alice.upload(png(8)).status == 201


def test_parallel_uploads_do_not_exceed_the_limit(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "LATELY_LIMIT", 5)
    together = threading.Barrier(12)

    def add(number: int) -> bool:
        """Add a row as another web process would, at the same moment as the others."""
        row = dict.fromkeys(("visitor_id", "agent_id", "width", "height"))
        row |= {"id": uuid.uuid4(), "conversation_id": conversation.pk, "name": f"{number}.txt"}
        row |= {"content_type": "text/plain", "size": 1, "file": f"{number}", "thumbnail": ""}
        connection.ensure_connection()
        together.wait()
        try:
            return attachments._add(row | {"at": timezone.now()})
        except Rejected:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as threads:
        assert sum(threads.map(add, range(12))) == 5
    assert Attachment.objects.count() == 5


def test_upload_refused_at_the_end_leaves_no_file(
    visitor: Caller, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "_checked", lambda row: row)  # another was quicker
    monkeypatch.setattr(attachments, "LATELY_LIMIT", 0)
    assert visitor.upload(png(8)).status == 429
    assert files_in(media) == 0


def test_unsent_files_are_deleted_and_sent_ones_stay(visitor: Caller, media: Path) -> None:
    sent = visitor.upload(png()).json["attachment"]["id"]
    visitor.say(sent)
    visitor.upload(png())
    later = Attachment.objects.latest("created_at").created_at + attachments.FORGOTTEN
    assert attachments.forget_unsent(at=later) == 0
    assert attachments.forget_unsent(at=later + timedelta(seconds=1)) == 1
    assert [str(row.pk) for row in Attachment.objects.all()] == [sent]
    assert files_in(media) == 2
