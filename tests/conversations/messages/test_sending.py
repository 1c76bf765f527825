"""The message path: numbered without gaps, stored once, refused as soon as the right is gone."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from accounts import desk_session
from accounts.desk_session import DeskSession
from accounts.models import Agent
from conversations.lifecycle import actors, deadlines, invariants, verbs
from conversations.lifecycle.transitions import Status
from conversations.messages import reading, sending
from conversations.messages.sending import Sent
from conversations.messages.validators import BODY_LIMIT, check_body, check_client_id
from conversations.models import Author, Conversation, Message
from core.db import async_pool
from core.rejection import Rejected
from routing.models import DeskPresence, RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, VisitorFactory, in_status, on_desk, queued, with_bot

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def at_once(*sending: Awaitable[Sent]) -> list[Sent | BaseException]:
    """Run them all at the same time; refusals are returned as values."""

    async def main() -> list[Sent | BaseException]:
        try:
            return await asyncio.gather(*sending, return_exceptions=True)
        finally:
            await async_pool.close()

    return asyncio.run(main())


def one(sending: Awaitable[Sent]) -> Sent:
    (answer,) = at_once(sending)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def as_visitor(conversation: Conversation, /, **other: Any) -> Awaitable[Sent]:
    message: dict[str, Any] = {
        "conversation": conversation.public_id,
        "token_hash": conversation.visitor.token_hash,
        "client_id": uuid.uuid4(),
        "body": "Bonjour",
        "at": NOW,
    }
    return sending.send_as_visitor(**(message | other))


def as_agent(conversation: Conversation, desk: DeskSession, /, **other: Any) -> Awaitable[Sent]:
    message: dict[str, Any] = {
        "conversation": conversation.pk,
        "client_id": uuid.uuid4(),
        "body": "Bonjour",
        "at": NOW,
    }
    return sending.send_as_agent(desk=desk, **(message | other))


def refusal(sending: Awaitable[Sent]) -> tuple[str, int]:
    with pytest.raises(Rejected) as caught:
        one(sending)
    return caught.value.code, caught.value.status


def log_in(agent: Agent) -> DeskSession:
    """Create a Django session and return the desk session for it."""
    session: SessionStore = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(agent.user_id)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = agent.user.get_session_auth_hash()
    session.set_expiry(FAR)
    session.save()
    assert session.session_key is not None
    desk = desk_session.load(session.session_key)
    assert desk is not None
    return desk


def numbers(conversation: Conversation) -> list[int]:
    return list(conversation.messages.order_by("seq").values_list("seq", flat=True))


def assert_sound() -> None:
    assert [finding for finding in invariants.findings(at=NOW) if finding.check != "outbox"] == []


# --- What a message may be -------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", ["", "   ", "\n\t\r\n", "\x00\x01", "\u200b\u200d", None, 7, ["a"]]
)
def test_an_empty_message_is_refused(body: object) -> None:
    with pytest.raises(Rejected) as caught:
        check_body(body)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        ("  Bonjour  ", "Bonjour"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x00b\x07c\x85d", "abcd"),
        ("half \ud83d pair", "half  pair"),
        ("tab\there", "tab\there"),
        ("👩‍👩‍👧 ok", "👩‍👩‍👧 ok"),
    ],
)
def test_only_control_characters_are_removed(body: str, stored: str) -> None:
    assert check_body(body) == stored


def test_long_message_is_refused_with_its_length_and_the_limit() -> None:
    assert len(check_body("é" * BODY_LIMIT)) == BODY_LIMIT
    with pytest.raises(Rejected) as caught:
        check_body("é" * (BODY_LIMIT + 1))
    assert (caught.value.code, caught.value.status) == ("too_long", 413)
    assert "4001" in caught.value.text
    assert "4000" in caught.value.text


@pytest.mark.parametrize("value", [None, "", "x", 12, "9b2c", {}])
def test_a_message_needs_an_id(value: object) -> None:
    with pytest.raises(Rejected) as caught:
        check_client_id(value)
    assert caught.value.status == 400


# --- Accepting -------------------------------------------------------------------------------

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def talk(step: RuleStep, agent: Agent) -> Conversation:
    """A conversation on the desk of ``agent``."""
    return on_desk(step, agent)


@pytest.fixture
def desk(agent: Agent) -> DeskSession:
    return log_in(agent)


def test_messages_of_both_sides_share_one_sequence(talk: Conversation, desk: DeskSession) -> None:
    sent = [one(as_visitor(talk)), one(as_agent(talk, desk)), one(as_visitor(talk))]
    assert [answer.frame["seq"] for answer in sent] == [1, 2, 3]
    assert [answer.frame["author"] for answer in sent] == ["visitor", "agent", "visitor"]
    assert sent[1].frame["name"] == Agent.objects.get().display_name
    talk.refresh_from_db()
    assert (talk.last_seq, talk.visitor_read_seq, talk.agent_read_seq) == (3, 3, 2)
    assert talk.first_human_reply_at == talk.last_agent_message_at == NOW


def test_concurrent_messages_have_consecutive_numbers(
    talk: Conversation, desk: DeskSession
) -> None:
    answers = at_once(
        *(as_visitor(talk, body=f"v{n}") for n in range(24)),
        *(as_agent(talk, desk, body=f"a{n}") for n in range(24)),
    )
    assert sorted(answer.frame["seq"] for answer in answers) == list(range(1, 49))
    assert numbers(talk) == list(range(1, 49))
    assert_sound()


@pytest.mark.parametrize("side", ["visitor", "agent"])
def test_concurrent_equal_posts_store_one_row_and_get_equal_answers(
    side: str, talk: Conversation, desk: DeskSession
) -> None:
    client_id = uuid.uuid4()
    send: Callable[[], Awaitable[Sent]] = {
        "visitor": lambda: as_visitor(talk, client_id=client_id),
        "agent": lambda: as_agent(talk, desk, client_id=client_id),
    }[side]
    for _round in range(3):
        answers = at_once(*(send() for _ in range(16)))
        assert [answer.frame for answer in answers] == [answers[0].frame] * 16
        assert numbers(talk) == [1]
    assert sum(answer.is_new for answer in answers) == 0


def test_exactly_one_of_equal_posts_is_new(talk: Conversation) -> None:
    client_id = uuid.uuid4()
    answers = at_once(*(as_visitor(talk, client_id=client_id) for _ in range(16)))
    assert sum(answer.is_new for answer in answers) == 1


def test_the_same_id_with_another_text_is_a_conflict(talk: Conversation, desk: DeskSession) -> None:
    client_id = uuid.uuid4()
    one(as_visitor(talk, client_id=client_id))
    assert refusal(as_visitor(talk, client_id=client_id, body="Autre")) == ("conflict", 409)
    assert refusal(as_agent(talk, desk, client_id=client_id)) == ("conflict", 409)
    assert numbers(talk) == [1]


def test_a_retry_an_hour_later_gets_the_first_answer(talk: Conversation) -> None:
    client_id = uuid.uuid4()
    first = one(as_visitor(talk, client_id=client_id))
    again = one(as_visitor(talk, client_id=client_id, at=NOW + HOUR))
    assert (first.is_new, again.is_new) == (True, False)
    assert first.frame == again.frame


def test_retry_is_answered_after_the_conversation_closed(
    talk: Conversation, desk: DeskSession, agent: Agent
) -> None:
    theirs, mine = uuid.uuid4(), uuid.uuid4()
    one(as_visitor(talk, client_id=theirs))
    one(as_agent(talk, desk, client_id=mine))
    verbs.finish(talk.pk, actor=actors.agent(agent.user), at=NOW)
    assert one(as_visitor(talk, client_id=theirs)).frame["seq"] == 1
    assert one(as_agent(talk, desk, client_id=mine)).frame["seq"] == 2
    assert refusal(as_visitor(talk)) == ("closed", 410)
    assert refusal(as_agent(talk, desk)) == ("not_on_desk", 409)
    assert numbers(talk) == [1, 2]


def test_client_id_can_recur_in_another_conversation(step: RuleStep, agent: Agent) -> None:
    client_id = uuid.uuid4()
    for conversation in (on_desk(step, agent), on_desk(step, agent)):
        assert one(as_visitor(conversation, client_id=client_id)).frame["seq"] == 1


@pytest.mark.parametrize("status", [Status.BOT, Status.QUEUED, Status.ASSIGNED, Status.ACTIVE])
def test_visitor_can_write_before_an_agent_replies(
    status: Status, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(status, step, agent)
    assert one(as_visitor(conversation)).is_new
    conversation.refresh_from_db()
    assert conversation.status == status
    assert conversation.visitor_waits_since == NOW


@pytest.mark.parametrize("status", [Status.SNOOZED, Status.PENDING, Status.ON_HOLD, Status.SOLVED])
def test_visitor_message_resumes_a_paused_conversation(
    status: Status, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(status, step, agent)
    client_id = uuid.uuid4()
    answers = at_once(
        *(as_visitor(conversation, client_id=client_id, at=NOW + HOUR) for _ in range(8))
    )
    assert [answer.frame for answer in answers] == [answers[0].frame] * 8
    conversation.refresh_from_db()
    assert (conversation.status, conversation.agent_id) == (Status.ASSIGNED, agent.pk)
    assert numbers(conversation) == [1]
    assert_sound()


def test_first_concurrent_messages_open_the_connection_pool(talk: Conversation) -> None:
    answers = at_once(*(as_visitor(talk) for _ in range(16)))
    assert all(isinstance(answer, Sent) for answer in answers)


# --- Who may write ---------------------------------------------------------------------------


def test_wrong_token_is_not_found(talk: Conversation) -> None:
    assert refusal(as_visitor(talk, token_hash="0" * 64)) == ("not_found", 404)
    assert numbers(talk) == []


def test_conversation_of_another_visitor_is_not_found(talk: Conversation) -> None:
    other = VisitorFactory(website=talk.website)
    assert refusal(as_visitor(talk, token_hash=other.token_hash)) == ("not_found", 404)


def test_unknown_conversation_is_not_found(talk: Conversation, desk: DeskSession) -> None:
    assert refusal(as_visitor(talk, conversation=uuid.uuid4())) == ("not_found", 404)
    assert refusal(as_agent(talk, desk, conversation=10**14)) == ("not_found", 404)


def test_agent_cannot_write_in_a_colleagues_conversation(
    step: RuleStep, talk: Conversation
) -> None:
    colleague = AgentFactory()
    step.group.members.add(colleague)
    assert refusal(as_agent(talk, log_in(colleague))) == ("not_found", 404)
    assert numbers(talk) == []


@pytest.mark.parametrize(
    "status", [Status.ASSIGNED, Status.SNOOZED, Status.PENDING, Status.ON_HOLD, Status.SOLVED]
)
def test_agent_cannot_write_when_conversation_is_not_on_desk(
    status: Status, step: RuleStep, agent: Agent, desk: DeskSession
) -> None:
    conversation = in_status(status, step, agent)
    assert refusal(as_agent(conversation, desk)) == ("not_on_desk", 409)
    assert numbers(conversation) == []


def test_former_agent_is_refused_immediately_after_transfer(
    step: RuleStep, talk: Conversation, agent: Agent, desk: DeskSession
) -> None:
    other = AgentFactory()
    step.group.members.add(other)
    verbs.transfer_to_agent(talk.pk, agent=other, actor=actors.agent(agent.user), at=NOW)
    assert refusal(as_agent(talk, desk)) == ("not_found", 404)


def test_a_logged_out_session_is_refused_at_once(talk: Conversation, desk: DeskSession) -> None:
    one(as_agent(talk, desk))
    Session.objects.get(pk=desk.session_key).delete()
    assert refusal(as_agent(talk, desk)) == ("not_found", 404)
    assert desk_session.load(desk.session_key) is None
    assert numbers(talk) == [1]


def test_expired_session_is_refused_at_once(talk: Conversation, desk: DeskSession) -> None:
    Session.objects.update(expire_date=datetime(2020, 1, 1, tzinfo=UTC))
    assert refusal(as_agent(talk, desk)) == ("not_found", 404)


def test_a_changed_password_is_refused_at_once(
    talk: Conversation, desk: DeskSession, agent: Agent
) -> None:
    agent.user.set_password("another horse")
    agent.user.save()
    assert refusal(as_agent(talk, desk)) == ("not_found", 404)
    assert desk_session.load(desk.session_key) is None


def test_a_disabled_account_is_refused_at_once(
    talk: Conversation, desk: DeskSession, agent: Agent
) -> None:
    agent.user.is_active = False
    agent.user.save()
    assert refusal(as_agent(talk, desk)) == ("not_found", 404)
    assert desk_session.load(desk.session_key) is None


def test_session_of_another_account_is_refused(
    talk: Conversation, desk: DeskSession, agent: Agent
) -> None:
    theirs = log_in(AgentFactory())
    mixed = DeskSession(
        session_key=theirs.session_key,
        user_id=desk.user_id,
        password="!",
        agent_id=desk.agent_id,
        name="",
        language="",
        role="agent",
    )
    assert refusal(as_agent(talk, mixed)) == ("not_found", 404)


# --- Races with what moves the conversation --------------------------------------------------


def test_message_at_the_end_of_a_snooze_is_stored_or_refused(step: RuleStep, agent: Agent) -> None:
    outcomes = set()
    for keep in (True, False) * 6:
        conversation = verbs.snooze(
            on_desk(step, agent).pk,
            until=NOW + HOUR,
            keep=keep,
            auto_close=True,
            actor=actors.agent(agent.user),
            at=NOW,
        )

        async def enforce(pk: int = conversation.pk) -> object:
            return await asyncio.to_thread(_enforced, pk)

        sent, fired = at_once(as_visitor(conversation, at=NOW + HOUR), enforce())
        conversation.refresh_from_db()
        outcomes.add(conversation.status)
        if conversation.status == Status.CLOSED:
            assert isinstance(sent, Rejected)
            assert (sent.code, fired) == ("closed", True)
            assert numbers(conversation) == []
        else:
            assert isinstance(sent, Sent)
            assert (fired, numbers(conversation)) == (False, [1])
            assert conversation.status == (Status.ASSIGNED if keep else Status.QUEUED)
    assert outcomes
    assert_sound()


def _enforced(conversation_id: int) -> bool:
    from django.db import connection

    try:
        deadlines.enforce(conversation_id, at=NOW + HOUR)
    except verbs.Refused:
        return False
    finally:
        connection.close()
    return True


def test_messages_during_closure_are_stored_or_refused(
    step: RuleStep, agent: Agent, desk: DeskSession
) -> None:
    for _round in range(8):
        conversation = on_desk(step, agent)

        async def close(pk: int = conversation.pk) -> object:
            return await asyncio.to_thread(_finished, pk, agent)

        *answers, _closed = at_once(
            *(as_visitor(conversation) for _ in range(4)),
            *(as_agent(conversation, desk) for _ in range(4)),
            close(),
        )
        stored = [answer for answer in answers if isinstance(answer, Sent)]
        refused = [answer for answer in answers if isinstance(answer, Rejected)]
        assert len(stored) + len(refused) == 8
        assert numbers(conversation) == list(range(1, len(stored) + 1))
    assert_sound()


def _finished(conversation_id: int, agent: Agent) -> None:
    from django.db import connection

    try:
        verbs.finish(conversation_id, actor=actors.agent(agent.user), at=NOW)
    finally:
        connection.close()


def test_messages_that_are_stored_together_are_told_apart(
    step: RuleStep, desk: DeskSession, agent: Agent
) -> None:
    """One batch with everything that can be: new messages of both sides, a repeat, the same id with
    other words, a wrong token and a closed conversation."""
    one_talk, other = (on_desk(step, agent, at=NOW) for _ in range(2))
    closed = in_status(Status.CLOSED, step, agent)
    for conversation in (one_talk, other):  # from now on their numbers are known
        one(as_visitor(conversation))
    sending._remember_number(closed.public_id, closed.pk)
    twice = uuid.uuid4()
    work = [
        as_visitor(one_talk, body="leads"),
        as_visitor(other, body="a", client_id=twice),
        as_agent(one_talk, desk, body="b"),
        as_visitor(other, body="a", client_id=twice),
        as_visitor(one_talk, body="c"),
        as_visitor(other, body="changed", client_id=twice),
        as_visitor(other, token_hash="wrong"),
        as_visitor(closed),
        as_agent(other, desk, body="d"),
    ]
    answers = at_once(*work)
    codes = [getattr(answer, "code", "") for answer in answers]
    assert codes == ["", "", "", "", "", "conflict", "not_found", "closed", ""]
    assert [sent.is_new for sent in answers[1:5] if isinstance(sent, Sent)] == [
        *(True, True, False, True),
    ]
    assert numbers(one_talk) == [1, 2, 3, 4]
    assert numbers(other) == [1, 2, 3]
    assert numbers(closed) == []
    assert_sound()


def test_only_so_many_numbers_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "KNOWN_NUMBERS", 3)
    monkeypatch.setattr(sending, "_numbers", {})
    ids = [uuid.uuid4() for _ in range(5)]
    for number, public_id in enumerate(ids):
        sending._remember_number(public_id, number)
    assert sending._numbers == {ids[2]: 2, ids[3]: 3, ids[4]: 4}


# --- Reading ---------------------------------------------------------------------------------


def test_visitor_reads_messages_after_a_number(talk: Conversation, desk: DeskSession) -> None:
    for n in range(3):
        one(as_visitor(talk, body=f"n{n}", at=NOW + n * SECOND))

    async def main() -> dict[str, Any]:
        try:
            return await reading.for_visitor(
                conversation=talk.public_id,
                token_hash=talk.visitor.token_hash,
                after_seq=1,
                at=NOW,
                presence=DeskPresence,
            )
        finally:
            await async_pool.close()

    answer = asyncio.run(main())
    assert [message["seq"] for message in answer["messages"]] == [2, 3]
    assert answer["messages"][0]["at"] == "2035-03-05T09:00:01.000+00:00"
    assert answer["conversation"]["last_seq"] == 3


def test_invalid_read_position_is_ignored(talk: Conversation, desk: DeskSession) -> None:
    one(as_agent(talk, desk))
    one(as_agent(talk, desk))
    token_hash = talk.visitor.token_hash

    async def main() -> None:
        try:
            for seq in (2, 1, 3, 10**9):
                await reading.read_by_visitor(
                    conversation=talk.public_id, token_hash=token_hash, seq=seq
                )
        finally:
            await async_pool.close()

    asyncio.run(main())
    talk.refresh_from_db()
    assert talk.visitor_read_seq == 2


# --- Messages of the product and of bots -----------------------------------------------------


def test_bot_and_system_messages_share_the_sequence(step: RuleStep) -> None:
    conversation = with_bot(step)
    for author in (Author.BOT, Author.SYSTEM, Author.VISITOR):
        sending.add(conversation.pk, author=author, body="…", client_id=uuid.uuid4(), at=NOW)
    assert numbers(conversation) == [1, 2, 3]
    assert_sound()


def test_closed_conversation_accepts_no_message(step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.CLOSED, step, agent)
    for author in Author:
        with pytest.raises(Rejected) as caught:
            sending.add(conversation.pk, author=author, body="…", client_id=uuid.uuid4(), at=NOW)
        assert caught.value.code == "closed"
    assert not Message.objects.exists()


def test_repeat_in_a_transaction_is_recognized(step: RuleStep) -> None:
    conversation, client_id = queued(step), uuid.uuid4()
    first, again = (
        sending.add(conversation.pk, author=Author.VISITOR, body="…", client_id=client_id, at=NOW)
        for _ in range(2)
    )
    assert (first.is_new, again.is_new, first.frame) == (True, False, again.frame)
    with pytest.raises(Rejected):
        sending.add(
            conversation.pk, author=Author.VISITOR, body="else", client_id=client_id, at=NOW
        )
