"""Pending mails: one for unread answers to an absent visitor, and not too soon."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Agent
from conversations.lifecycle import actors, verbs
from conversations.messages import sending
from conversations.models import Author, CloseReason, Conversation
from conversations.visitors import visitor_presence
from messenger.mail import addresses, decisions, pending_mails
from messenger.mail.decisions import MailDelays, Unread, next_look
from messenger.models import Mail, MailStatus, Sender
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, on_desk
from tests.messenger.mailing import VISITOR

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
PACE = MailDelays(delay=MINUTE, interval=15 * MINUTE)


@pytest.fixture(autouse=True)
def nobody_on_site() -> None:
    cache.clear()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def talk(step: RuleStep, agent: Agent) -> Conversation:
    """A conversation on a desk whose visitor wrote once and left an address."""
    conversation = on_desk(step, agent)
    say(conversation, Author.VISITOR, "Is it oak?", at=NOW)
    addresses.give(conversation.visitor, VISITOR, at=NOW)
    return conversation


def say(conversation: Conversation, author: Author, body: str, *, at: datetime) -> None:
    sending.add(conversation.pk, author=author, body=body, client_id=uuid.uuid4(), at=at)


def pending() -> list[Mail]:
    return list(Mail.objects.filter(status=MailStatus.OWED).order_by("pk"))


def test_an_answer_is_mailed_after_a_minute(talk: Conversation) -> None:
    say(talk, Author.AGENT, "It is.", at=NOW)
    assert pending_mails.look(at=NOW + 59 * SECOND) == 0
    assert pending() == []
    assert pending_mails.look(at=NOW + 60 * SECOND) == 1
    (mail,) = pending()
    assert (mail.to, mail.from_seq, mail.to_seq) == (VISITOR, 1, 2)
    assert pending_mails.look(at=NOW + 10 * MINUTE) == 0


def test_the_minute_runs_from_the_last_message(talk: Conversation) -> None:
    say(talk, Author.AGENT, "It is.", at=NOW)
    pending_mails.look(at=NOW + SECOND)
    say(talk, Author.AGENT, "From the Jura.", at=NOW + 50 * SECOND)
    assert pending_mails.look(at=NOW + 100 * SECOND) == 0
    assert pending_mails.look(at=NOW + 110 * SECOND) == 1
    assert pending()[0].to_seq == 3


def test_mails_of_one_conversation_are_spaced(talk: Conversation) -> None:
    say(talk, Author.AGENT, "It is.", at=NOW)
    assert pending_mails.look(at=NOW + MINUTE) == 1
    say(talk, Author.AGENT, "One more thing.", at=NOW + 2 * MINUTE)
    assert pending_mails.look(at=NOW + 15 * MINUTE) == 0
    assert pending_mails.look(at=NOW + 16 * MINUTE) == 1
    assert [(mail.from_seq, mail.to_seq) for mail in pending()] == [(1, 2), (2, 3)]


def test_read_messages_are_not_mailed_or_checked_again(talk: Conversation) -> None:
    say(talk, Author.AGENT, "It is.", at=NOW)
    Conversation.objects.update(visitor_read_seq=2)
    assert pending_mails.look(at=NOW + MINUTE) == 0
    talk.refresh_from_db()
    assert talk.notify_at is None


def test_visitors_on_the_site_are_mailed_only_after_leaving(talk: Conversation) -> None:
    say(talk, Author.AGENT, "It is.", at=NOW)
    cache.set(visitor_presence._key(talk.visitor_id), 1, 60)
    assert pending_mails.look(at=NOW + MINUTE) == 0
    cache.clear()
    assert pending_mails.look(at=NOW + MINUTE + decisions.ON_SITE_PAUSE) == 1


def test_an_answer_written_before_the_address_was_given_is_mailed(
    step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    say(conversation, Author.VISITOR, "Is it oak?", at=NOW)
    say(conversation, Author.AGENT, "It is.", at=NOW)
    assert pending_mails.look(at=NOW + MINUTE) == 0
    addresses.give(conversation.visitor, VISITOR, at=NOW + MINUTE)
    assert pending_mails.look(at=NOW + MINUTE) == 1


@pytest.mark.parametrize("choice", ["off", "deleted"])
def test_visitors_without_wanted_mail_get_none(talk: Conversation, choice: str) -> None:
    say(talk, Author.AGENT, "It is.", at=NOW)
    if choice == "off":
        addresses.want_mail(talk.visitor, wanted=False, at=NOW)
    else:
        addresses.forget(talk.visitor, at=NOW)
    assert pending_mails.look(at=NOW + MINUTE) == 0
    say(talk, Author.AGENT, "Still there?", at=NOW + MINUTE)
    assert pending_mails.look(at=NOW + 3 * MINUTE) == 0


def test_unread_messages_are_mailed_after_mail_is_enabled_again(talk: Conversation) -> None:
    say(talk, Author.AGENT, "It is.", at=NOW)
    addresses.want_mail(talk.visitor, wanted=False, at=NOW)
    pending_mails.look(at=NOW + MINUTE)
    addresses.want_mail(talk.visitor, wanted=True, at=NOW + 2 * MINUTE)
    assert pending_mails.look(at=NOW + 2 * MINUTE) == 1


def test_a_new_address_gets_the_pending_mail(talk: Conversation) -> None:
    say(talk, Author.AGENT, "It is.", at=NOW)
    pending_mails.look(at=NOW + MINUTE)
    addresses.give(talk.visitor, "other@example.org", at=NOW + 2 * MINUTE)
    pending_mails.look(at=NOW + 30 * MINUTE)
    assert [mail.to for mail in pending()] == ["other@example.org"]


def test_a_closed_conversation_is_still_mailed(talk: Conversation, agent: Agent) -> None:
    """R22: the link of that mail shows the survey."""
    say(talk, Author.AGENT, "It is. Good-bye!", at=NOW)
    actor = actors.agent(agent.user)
    verbs.close(talk.pk, reason=CloseReason.RESOLVED, actor=actor, at=NOW + SECOND)
    assert pending_mails.look(at=NOW + MINUTE) == 1


def test_a_blocked_visitor_is_not_mailed(talk: Conversation, agent: Agent) -> None:
    say(talk, Author.AGENT, "Good-bye.", at=NOW)
    actor = actors.agent(agent.user)
    verbs.close(talk.pk, reason=CloseReason.BLOCKED, actor=actor, at=NOW + SECOND)
    assert pending_mails.look(at=NOW + MINUTE) == 0


def test_a_live_conversation_is_not_mailed(step: RuleStep, agent: Agent) -> None:
    """R118: the offer belongs to queues."""
    conversation = on_desk(step, agent, is_asynchronous=False)
    addresses.give(conversation.visitor, VISITOR, at=NOW)
    say(conversation, Author.AGENT, "Hello?", at=NOW)
    assert pending_mails.look(at=NOW + MINUTE) == 0


def test_a_website_can_disable_mails(talk: Conversation) -> None:
    Sender.objects.create(website=talk.website, is_on=False)
    say(talk, Author.AGENT, "It is.", at=NOW)
    assert pending_mails.look(at=NOW + MINUTE) == 0


def test_a_look_without_pending_mails_takes_one_query(
    talk: Conversation, django_assert_num_queries: type[CaptureQueriesContext]
) -> None:
    with django_assert_num_queries(1):  # type: ignore[call-arg]
        pending_mails.look(at=NOW + MINUTE)


def test_the_check_for_pending_mails_uses_its_index(talk: Conversation) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        query = Conversation.objects.filter(notify_at__lte=NOW).order_by("notify_at")
        plan = query.values_list("pk")[:10].explain()
    assert "to_notify" in plan


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_create_one_mail(transactional_talk: Conversation) -> None:
    say(transactional_talk, Author.AGENT, "It is.", at=NOW)
    start = threading.Barrier(6)
    written: list[int] = []

    def work() -> None:
        start.wait()
        try:
            written.append(pending_mails.look(at=NOW + MINUTE))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(written) == 1
    assert Mail.objects.count() == 1


@pytest.fixture
def transactional_talk(transactional_db: None) -> Conversation:
    from tests.factories import GroupFactory, RuleFactory, StepFactory, WebsiteFactory

    website = WebsiteFactory()
    agent = AgentFactory()
    group = GroupFactory(website=website, members=[agent])
    step = StepFactory(rule=RuleFactory(website=website), group=group)
    conversation = on_desk(step, agent)
    say(conversation, Author.VISITOR, "Is it oak?", at=NOW)
    addresses.give(conversation.visitor, VISITOR, at=NOW)
    return conversation


@pytest.mark.parametrize(
    ("unread", "expected"),
    [
        (Unread(0, None, False, None), None),
        (Unread(1, NOW, False, None), NOW + MINUTE),
        (Unread(decisions.BATCH, NOW, False, None), NOW + 30 * SECOND),
        (Unread(1, NOW - 5 * MINUTE, False, NOW - 4 * MINUTE), NOW + 11 * MINUTE),
        (Unread(1, NOW - 5 * MINUTE, True, None), NOW + 60 * SECOND),
    ],
)
def test_the_next_check_is_scheduled_by_what_is_unread(
    unread: Unread, expected: datetime | None
) -> None:
    assert next_look(unread, PACE, at=NOW + 30 * SECOND) == expected


def test_retries_end_after_a_day() -> None:
    moments = [decisions.retry_at(failures, at=NOW) for failures in range(1, 9)]
    assert moments[0] == NOW + MINUTE
    assert moments[-1] is None
    assert all(moment is not None for moment in moments[:-1])
