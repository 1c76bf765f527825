"""Rounds of deliveries to real receivers: in order, at least once, whatever the receiver does."""

from __future__ import annotations

import json
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from accounts.models import Role
from conversations.lifecycle import actors, verbs
from conversations.messages import sending
from conversations.models import (
    Author,
    CloseReason,
    Conversation,
    Event,
    Message,
    Trouble,
    WebhookDelivery,
    WebhookProgress,
)
from conversations.privacy import personal_data
from conversations.webhooks import alerts, attempts, events, owed, rounds
from conversations.webhooks import verbs as webhook_verbs
from core.events import outbox
from routing import full_queues
from routing.models import RuleStep
from tests.api_clients import with_token
from tests.conversations.webhooks.receiver import Receiver
from tests.conversations.webhooks.world import (  # noqa: F401 - fixtures
    Make,
    drain,
    make_fixture,
    open_receivers_fixture,
    owner_fixture,
    receiver_fixture,
    step_fixture,
    website_fixture,
)
from tests.elsewhere import elsewhere
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk, queued

pytestmark = pytest.mark.django_db(transaction=True)


def write_message(talk: Conversation, text: str = "x") -> Message:
    at = timezone.now()
    sending.add(talk.pk, author=Author.VISITOR, body=text, client_id=uuid.uuid4(), at=at)
    return Message.objects.latest("pk")


def expected(*talks: Conversation) -> list[str]:
    """Return the ids of all lines and messages of conversations, in their order."""
    lines = Event.objects.filter(conversation__in=talks).order_by("pk")
    words = Message.objects.filter(conversation__in=talks).order_by("seq")
    return [f"evt_{one.pk}" for one in lines] + [f"msg_{one.pk}" for one in words]


def make_due(**wanted: Any) -> None:
    """Let the time of the next attempts come."""
    WebhookDelivery.objects.filter(delivered_at=None, parked_at=None, **wanted).update(
        due_at=timezone.now()
    )
    WebhookProgress.objects.update(due_at=timezone.now(), leased_until=None)


def test_lines_and_messages_arrive_signed_and_in_order(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    webhook = make()
    talk = queued(step)
    for number in range(3):
        write_message(talk, f"é {number}")
    drain(webhook)
    assert receiver.ids == expected(talk)
    for headers, body in receiver.heard:
        verified = Verifier(webhook.secret.reveal()).verify(body, headers)
        assert verified["version"] == "1"
        assert (verified["website"], verified["conversation"]) == ("zebra", talk.pk)
        with pytest.raises(WebhookVerificationError):
            Verifier(webhook.secret.reveal()).verify(body + b" ", headers)
    assert [one["type"] for one in receiver.bodies] == [
        "conversation.queue",
        *["message.created"] * 3,
    ]
    assert receiver.bodies[1]["data"]["body"] == "é 0"
    assert not WebhookDelivery.objects.filter(delivered_at=None).exists()


def test_the_data_are_those_of_the_change_feed(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    webhook = make()
    agent = AgentFactory()
    step.group.members.add(agent)
    talk = on_desk(step, agent)
    write_message(talk)
    verbs.close(
        talk.pk,
        actor=actors.agent(agent.user),
        reason=CloseReason.RESOLVED,
        at=timezone.now(),
    )
    drain(webhook)
    client = with_token(UserFactory(role=Role.ADMIN))
    entries = client.get("/api/v1/events/").json()["results"]
    assert [one["data"] for one in receiver.bodies] == [
        one.get("event") or one["message"] for one in entries
    ]
    assert len(entries) == 4


def test_only_the_chosen_events_of_its_own_website_are_sent(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    webhook = make(events=["conversation.push", "message.created"])
    foreign = queued(StepFactory(places=5))
    write_message(foreign)
    talk = queued(step)
    write_message(talk)
    verbs.push(talk.pk, agent=AgentFactory(), at=timezone.now())
    drain(webhook)
    assert {one["type"] for one in receiver.bodies} == {"message.created", "conversation.push"}
    assert {one["conversation"] for one in receiver.bodies} == {talk.pk}


def test_nothing_from_before_it_was_made_is_sent_until_it_is_replayed(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    since = timezone.now()
    talk = queued(step)
    webhook = make()
    drain(webhook)
    assert receiver.ids == []
    webhook_verbs.replay(webhook, since=since - timedelta(seconds=1))
    drain(webhook)
    webhook_verbs.replay(webhook, since=since - timedelta(seconds=1))
    drain(webhook)
    assert receiver.ids == expected(talk) * 2
    webhook_verbs.replay(webhook, since=timezone.now() + timedelta(days=1))
    drain(webhook)
    assert receiver.ids == expected(talk) * 2


def test_after_a_rotation_both_secrets_sign_for_a_day(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    webhook = make()
    old = webhook.secret.reveal()
    new = webhook_verbs.rotate(webhook, at=timezone.now())
    queued(step)
    drain(webhook)
    headers, body = receiver.heard[0]
    for key in (old, new):
        Verifier(key).verify(body, headers)
    webhook.refresh_from_db()
    webhook.previous_until = timezone.now()
    webhook.save()
    queued(step)
    drain(webhook)
    headers, body = receiver.heard[1]
    Verifier(new).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(old).verify(body, headers)


@pytest.mark.parametrize(
    ("way", "trouble", "status"),
    [
        (500, Trouble.STATUS, 500),
        (302, Trouble.STATUS, 302),
        (404, Trouble.STATUS, 404),
        ("garbage", Trouble.CONNECTION, None),
        ("drip", Trouble.TIMEOUT, None),
        ("hang", Trouble.TIMEOUT, None),
    ],
)
def test_a_failed_delivery_is_tried_again_later(
    make: Make,
    step: RuleStep,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    way: int | str,
    trouble: str,
    status: int | None,
) -> None:
    monkeypatch.setattr(attempts, "SECONDS", 0.5)
    webhook = make()
    talk = queued(step)
    receiver.way = way
    drain(webhook)
    row = WebhookDelivery.objects.get()
    assert (row.trouble, row.status, row.attempts) == (trouble, status, 1)
    assert row.due_at > timezone.now() + timedelta(seconds=2)
    assert row.duration_ms is not None
    assert receiver.calls == 1  # no redirect was followed
    assert not rounds.run(webhook.pk)
    receiver.way = 200
    receiver.heard.clear()
    receiver.let_go.set()
    make_due()
    drain(webhook)
    assert receiver.ids[-1:] == expected(talk)
    row.refresh_from_db()
    assert (row.trouble, row.status, row.attempts) == ("", 200, 2)


def test_deliveries_that_fail_together_do_not_come_back_together(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    webhook = make()
    for _ in range(rounds.AT_A_TIME):
        queued(step)
    receiver.way = 500
    drain(webhook)
    waits = {
        (one.due_at - one.tried_at).total_seconds()
        for one in WebhookDelivery.objects.filter(attempts=1)
        if one.tried_at
    }
    assert len(waits) > 1
    assert all(4.5 <= one <= 5.5 for one in waits)


def test_a_claim_does_not_wait_for_another_sender(make: Make) -> None:
    webhook = make()

    with transaction.atomic():
        WebhookProgress.objects.select_for_update().get(webhook=webhook)
        assert elsewhere(lambda: owed.claim(webhook.pk, at=timezone.now())) is None
    assert owed.claim(webhook.pk, at=timezone.now()) is not None


def test_an_answer_of_10_mb_is_a_success_of_which_little_is_read(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    webhook = make()
    talk = queued(step)
    write_message(talk)
    receiver.way = "large"
    drain(webhook)
    rows = WebhookDelivery.objects.all()
    assert [(one.status, len(one.answer)) for one in rows] == [(200, 1000)] * 2


def test_a_failed_delivery_holds_only_its_own_conversation(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    webhook = make()
    bad, good = queued(step), queued(step)
    for talk in (bad, good, bad, good):
        write_message(talk)
    receiver.wrong = {expected(bad)[0]}
    drain(webhook)
    assert receiver.ids == expected(good)
    assert WebhookProgress.objects.get().failures == 0
    write_message(bad)
    write_message(good)
    drain(webhook)
    assert receiver.ids == expected(good)
    receiver.wrong.clear()
    make_due()
    drain(webhook)
    assert receiver.ids[4:] == expected(bad)


def test_a_receiver_that_is_away_is_probed_with_one_call_and_then_gets_everything(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    webhook = make()
    talks = [queued(step) for _ in range(20)]
    receiver.way = 503
    drain(webhook)
    assert rounds.AT_A_TIME <= receiver.calls <= 2 * rounds.AT_A_TIME
    calls = receiver.calls
    make_due()
    rounds.run(webhook.pk)
    assert receiver.calls == calls + 1
    progress = WebhookProgress.objects.get()
    assert progress.failures == 2
    assert progress.due_at > timezone.now() + timedelta(seconds=20)
    receiver.way = 200
    WebhookProgress.objects.update(due_at=timezone.now())
    make_due(pk=WebhookDelivery.objects.earliest("pk").pk)
    drain(webhook)  # the others are not due for minutes; the recovery makes them so
    assert sorted(receiver.ids) == sorted(expected(*talks))
    assert WebhookProgress.objects.get().failing_since is None


def test_a_receiver_that_asks_to_wait_is_left_alone_for_that_time(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    webhook = make()
    queued(step)
    receiver.way, receiver.more = 429, {"Retry-After": "600"}
    drain(webhook)
    soon = timezone.now() + timedelta(seconds=590)
    assert WebhookDelivery.objects.get().due_at > soon
    assert WebhookProgress.objects.get().due_at > soon


def test_a_delivery_that_failed_for_a_day_is_parked_and_its_owner_is_notified_once(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    webhook = make()
    bad, other = queued(step), queued(step)
    write_message(bad)
    receiver.wrong = {f"evt_{one.pk}" for one in Event.objects.all()}
    drain(webhook)
    WebhookDelivery.objects.update(first_tried_at=timezone.now() - timedelta(hours=24))
    for _probe in range(2):
        make_due()
        drain(webhook)
    assert WebhookDelivery.objects.filter(parked_at__isnull=False).count() == 2
    outbox.deliver_due()
    assert [one.to for one in mail.outbox] == [["owner@example.com"]]
    assert "failing" in mail.outbox[0].subject
    make_due()
    drain(webhook)
    assert receiver.ids == expected(bad)[1:]  # the message after the line that was given up
    again = webhook_verbs.send_again(
        WebhookDelivery.objects.filter(parked_at__isnull=False), at=timezone.now()
    )
    receiver.wrong.clear()
    drain(webhook)
    assert len(again) == 2
    # Sorted: the two conversations are sent side by side.
    assert sorted(receiver.ids[1:]) == sorted(f"evt_{one.pk}" for one in Event.objects.all())
    assert other.pk in {one["conversation"] for one in receiver.bodies}
    outbox.deliver_due()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(("way", "days"), [(500, 3), (410, 0)])
def test_a_webhook_that_never_succeeds_is_paused_and_goes_on_where_it_stopped(
    make: Make, step: RuleStep, receiver: Receiver, way: int, days: int
) -> None:
    webhook = make()
    talk = queued(step)
    receiver.way = way
    drain(webhook)
    long_ago = timezone.now() - timedelta(days=3)
    if days:
        WebhookProgress.objects.update(failing_since=long_ago, failures=9)
        make_due()
        drain(webhook)
    progress = WebhookProgress.objects.get()
    assert progress.paused_at is not None
    outbox.deliver_due()
    assert "paused" in mail.outbox[-1].subject
    receiver.way = 200
    write_message(talk)
    make_due()
    assert owed.with_work() == []
    drain(webhook)
    assert receiver.ids == []
    webhook_verbs.resume(type(webhook).objects.all(), at=timezone.now())
    drain(webhook)
    assert receiver.ids == expected(talk)


def test_private_addresses_are_not_called(
    make: Make, step: RuleStep, receiver: Receiver, settings: Any
) -> None:
    webhook = make()
    queued(step)
    settings.PROVIDERS_MAY_BE_PRIVATE = False
    drain(webhook)
    assert receiver.calls == 0
    assert WebhookDelivery.objects.get().trouble == Trouble.FORBIDDEN


def test_a_secret_that_cannot_be_read_is_a_trouble_of_its_own(
    make: Make, step: RuleStep, receiver: Receiver, settings: Any
) -> None:
    webhook = make()
    queued(step)
    settings.SECRET_KEY = "another key " * 6
    drain(webhook)
    assert receiver.calls == 0
    assert WebhookDelivery.objects.get().trouble == Trouble.SECRET


def test_an_erased_conversation_leaves_no_delivery(make: Make, step: RuleStep) -> None:
    webhook = make(events=["conversation.push"])
    agent = AgentFactory()
    step.group.members.add(agent)
    talk = on_desk(step, agent)
    claimed = owed.claim(webhook.pk, at=timezone.now())
    assert claimed is not None
    owed.read_feed(claimed, at=timezone.now())
    assert WebhookDelivery.objects.count() == 1
    verbs.close(
        talk.pk, actor=actors.agent(agent.user), reason=CloseReason.RESOLVED, at=timezone.now()
    )
    subject = personal_data.of_visitor(talk.visitor)
    personal_data.erase(subject, by=UserFactory(), at=timezone.now())
    assert WebhookDelivery.objects.count() == 0


def test_a_dead_receiver_costs_a_bounded_number_of_rows(
    make: Make, step: RuleStep, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owed, "AHEAD", 10)
    monkeypatch.setattr(owed, "READ", 8)
    webhook = make()
    talks = [queued(step) for _ in range(40)]
    receiver.way = 500
    for _round in range(8):
        rounds.run(webhook.pk)
        make_due()
    assert WebhookDelivery.objects.count() <= 18
    receiver.way = 200
    drain(webhook)
    assert sorted(receiver.ids) == sorted(expected(*talks))


def test_a_low_rating_and_a_full_queue_are_alerts(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    slack = make(format="slack", events=[events.QUEUE_FULL])
    teams = make(format="teams", events=[events.LOW_RATING])
    at = timezone.now().isoformat()
    for _twice in range(2):
        full_queues.note(step_id=step.pk, places=3, at=at)
    alerts.record(
        step.rule.website_id,
        events.LOW_RATING,
        key="rating_1",
        content={"at": at, "conversation": 7, "csat": 1, "nps": None},
        at=timezone.now(),
    )
    drain(slack)
    drain(teams)
    assert len(receiver.heard) == 2
    assert "is full: 3 places" in receiver.bodies[0]["text"]
    card = receiver.bodies[1]["attachments"][0]["content"]
    assert "#7 was rated 1 out of 5" in card["body"][0]["text"]


def test_a_stranded_conversation_raises_an_alert_where_it_is_chosen(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    agent = AgentFactory()
    step.group.members.add(agent)
    webhook = make(events=[events.STRANDED])
    talk = on_desk(step, agent)
    verbs.release(talk.pk, actor=actors.SYSTEM, at=timezone.now())
    drain(webhook)
    assert [one["type"] for one in receiver.bodies] == [events.STRANDED]


def test_a_test_event_is_sent_whatever_was_chosen(make: Make, receiver: Receiver) -> None:
    webhook = make(events=["conversation.close"])
    webhook_verbs.test(webhook, at=timezone.now())
    drain(webhook)
    assert receiver.bodies[0]["type"] == "test"
    assert json.loads(receiver.heard[0][1])["conversation"] is None


def test_a_receiver_that_hangs_ends_the_round_soon(
    make: Make, step: RuleStep, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "SECONDS", 0.4)
    webhook = make()
    for _ in range(50):
        queued(step)
    receiver.way = "hang"
    began = time.monotonic()
    drain(webhook)
    assert time.monotonic() - began < 5


def test_old_deliveries_are_deleted_if_they_ended(make: Make, step: RuleStep) -> None:
    webhook = make()
    queued(step)
    drain(webhook)
    webhook_verbs.test(webhook, at=timezone.now())
    WebhookDelivery.objects.update(created_at=timezone.now() - owed.RETENTION * 2)
    assert owed.purge(at=timezone.now()) == 1
    assert WebhookDelivery.objects.count() == 1
