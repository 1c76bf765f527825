"""The times and people shown to visitors are correct at every entry point (B4)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from accounts.models import Agent, Channel, Group, Holiday, OpeningHours, Website
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import Status
from conversations.messages import reading, sending
from conversations.models import Author, CloseReason, Conversation, Person, Visitor
from conversations.visitors import page_views, persons
from conversations.visitors.page_views import Seen
from core.db import async_pool
from messenger import queries
from messenger.visitors import hash_token
from messenger.website_texts import texts_of
from routing import opening, snapshots
from routing.actions import by_agent, escalation
from routing.models import DeskPresence, RuleStep
from routing.targeting import PageView
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    BotFactory,
    GroupFactory,
    RuleFactory,
    StepFactory,
    VisitorFactory,
    connect,
    in_status,
    on_desk,
    queued,
    with_bot,
)
from tests.messenger.conftest import Browser

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def alice(step: RuleStep) -> Agent:
    alice: Agent = AgentFactory(display_name="Alice")
    step.group.members.add(alice)
    connect(alice)
    return alice


def shown(conversation: Conversation, *, at: datetime = NOW) -> dict[str, Any]:
    return queries.conversation_of(conversation, at=at)


def write(conversation: Conversation, *, at: datetime = NOW) -> None:
    sending.add(conversation.pk, author=Author.AGENT, body="Voici", client_id=uuid.uuid4(), at=at)


def close(group: Group, *, opens_at: datetime | None) -> None:
    group.is_open, group.hours_change_at = False, opens_at
    group.save()


# --- People ---


def test_an_agent_is_shown_as_talking_only_after_writing(step: RuleStep, alice: Agent) -> None:
    conversation = on_desk(step, alice)
    assert shown(conversation)["agent"] == {"name": "Alice", "part": "received"}
    write(conversation)
    assert shown(conversation)["agent"] == {"name": "Alice", "part": "talking"}
    DeskPresence.objects.update(is_connected=False)
    assert shown(conversation, at=NOW + HOUR)["agent"] == {"name": "Alice", "part": "away"}


def test_a_transfer_to_an_absent_agent_shows_the_agent_as_expected(
    step: RuleStep, alice: Agent
) -> None:
    conversation = on_desk(step, alice)
    write(conversation)
    bruno = AgentFactory(display_name="Bruno")
    step.group.members.add(bruno)
    by_agent.transfer(conversation.pk, user=alice.user, to=bruno, at=NOW)
    state = shown(conversation)
    assert (state["status"], state["agent"]) == ("waiting", {"name": "Bruno", "part": "expected"})


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (Status.SNOOZED, "paused"),
        (Status.PENDING, "paused"),
        (Status.ON_HOLD, "paused"),
        (Status.SOLVED, "solved"),
    ],
)
def test_a_conversation_set_aside_shows_no_agent(
    status: Status, seen: str, step: RuleStep, alice: Agent
) -> None:
    state = shown(in_status(status, step, alice))
    assert (state["status"], state["agent"]) == (seen, None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_open", [True, False])
def test_the_view_and_the_raw_endpoint_describe_every_state_alike(
    is_open: bool, step: RuleStep, website: Website
) -> None:
    alice = AgentFactory(display_name="Alice", available=False)
    step.group.members.add(alice)
    connect(alice)
    conversations = [in_status(status, step, alice) for status in Status]
    conversations.append(on_desk(step, alice))
    write(conversations[-1])
    if not is_open:
        close(step.group, opens_at=NOW + HOUR)
    tokens = {one.pk: f"a token of {one.pk}" for one in conversations}
    for one in conversations:
        Visitor.objects.filter(pk=one.visitor_id).update(token_hash=hash_token(tokens[one.pk]))

    async def by_thread() -> list[dict[str, Any]]:
        try:
            return [
                (
                    await reading.for_visitor(
                        conversation=one.public_id,
                        token_hash=hash_token(tokens[one.pk]),
                        after_seq=0,
                        at=NOW,
                        presence=DeskPresence,
                    )
                )["conversation"]
                for one in conversations
            ]
        finally:
            await async_pool.close()

    for one, other in zip(conversations, async_to_sync(by_thread)(), strict=True):
        assert shown(one) == other | {"within": None}
        assert other["closed"] is (one.status == Status.QUEUED and not is_open)
    connection.close()


# --- Opening hours ---


def test_a_conversation_waiting_for_a_closed_group_has_its_opening_time(step: RuleStep) -> None:
    opens = NOW + 3 * HOUR
    close(step.group, opens_at=opens)
    state = shown(queued(step))
    assert (state["closed"], state["opens_at"]) == (True, opens.isoformat())
    assert (state["place"], state["within"]) == (1, None)
    later = shown(Conversation.objects.get(), at=opens)
    assert (later["closed"], later["opens_at"]) == (False, None)


def test_a_group_that_never_opens_is_closed_without_an_opening_time(step: RuleStep) -> None:
    close(step.group, opens_at=None)
    state = shown(queued(step))
    assert (state["closed"], state["opens_at"]) == (True, None)


def answer(website: Website, *, at: datetime = NOW) -> snapshots.Answer:
    snapshot = snapshots.take(website.key, at=at)
    assert snapshot is not None
    # Encoded and decoded, as from another process.
    return snapshots.Snapshot.decode(snapshot.encode()).answer(PageView(), at=at)


def test_places_of_a_closed_group_include_its_opening_time(
    step: RuleStep, website: Website
) -> None:
    close(step.group, opens_at=NOW + HOUR)
    body = answer(website)
    assert (body.may_engage, body.opens_at, body.shows) == (True, NOW + HOUR, False)
    assert body.again_in == 3600


def test_an_open_group_has_no_opening_time(step: RuleStep, website: Website) -> None:
    step.group.hours_change_at = NOW + HOUR  # it closes then
    step.group.save()
    assert answer(website).opens_at is None


def test_the_opening_time_is_of_the_first_group_that_can_answer(
    step: RuleStep, website: Website
) -> None:
    """An empty team and one without the skill open earlier, but cannot answer."""
    times = {"empty": 1, "without slots": 2, "late": 5, "first": 3}
    groups = {}
    for name, hours in times.items():
        group = GroupFactory(website=website, keeps_places_when_closed=False, name=name)
        StepFactory(rule=step.rule, group=group)
        close(group, opens_at=NOW + hours * HOUR)
        if name != "empty":
            group.members.add(AgentFactory(slots=0 if name == "without slots" else 2))
        groups[name] = group
    close(step.group, opens_at=NOW + 4 * HOUR)
    step.group.keeps_places_when_closed = False
    step.group.save()
    gone = AgentFactory()
    gone.user.is_active = False
    gone.user.save()
    groups["empty"].members.add(gone)
    body = answer(website)
    assert (body.may_engage, body.reason, body.opens_at) == (False, "closed", NOW + 3 * HOUR)
    everybody = list(groups.values())
    # without agents: the first to open
    assert opening.back_at(everybody, Channel.VIDEO, at=NOW) == NOW + HOUR


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        # Europe/Paris changes to summer time on 25 March 2035 and back on 28 October.
        (datetime(2035, 3, 24, 20, tzinfo=UTC), datetime(2035, 3, 25, 7, tzinfo=UTC)),
        (datetime(2035, 10, 27, 20, tzinfo=UTC), datetime(2035, 10, 28, 8, tzinfo=UTC)),
    ],
)
def test_the_opening_time_is_right_across_a_clock_change(
    now: datetime, opens: datetime, step: RuleStep, website: Website
) -> None:
    for day in range(7):
        OpeningHours.objects.create(group=step.group, weekday=day, opens=time(9), closes=time(18))
    opening.set_again([step.group_id], at=now)
    assert answer(website, at=now).opens_at == opens
    assert shown(queued(step, at=now), at=now)["opens_at"] == opens.isoformat()
    Holiday.objects.create(website=website, date=opens.date(), name="Fête")
    opening.set_again([step.group_id], at=now)
    step.group.refresh_from_db()
    assert step.group.opens_at(now) not in {None, opens}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            "We are closed and will be back at 13:00. Your conversation is saved here until then.",
        ),
        (
            "fr",
            "Nous sommes fermés et serons de retour à 13:00. "
            "Votre conversation est conservée ici d’ici là.",
        ),
    ],
)
def test_a_bot_announces_the_closed_group_instead_of_busy_agents(
    language: str, words: str, step: RuleStep
) -> None:
    """By the website's clock: noon in UTC is one o'clock in Paris."""
    step.rule.bot = BotFactory(website=step.rule.website)
    step.rule.save()
    step.group.keeps_places_when_closed = False
    close(step.group, opens_at=NOW + 3 * HOUR)
    conversation = with_bot(step, language=language)
    assert not escalation.escalate(conversation.pk, at=NOW)
    assert conversation.messages.get().body == words


def test_a_bot_escalating_to_a_closed_group_announces_its_opening_time(step: RuleStep) -> None:
    step.rule.bot = BotFactory(website=step.rule.website)
    step.rule.save()
    close(step.group, opens_at=NOW + 24 * HOUR)
    conversation = with_bot(step, language="en")
    assert escalation.escalate(conversation.pk, at=NOW)
    assert conversation.messages.get().body == (
        "We are closed. Our team will be back on Tuesday 6 March at 10:00 and will answer you then."
    )


def test_a_bot_announces_busy_agents_when_a_group_is_open(step: RuleStep) -> None:
    step.places = 0
    step.save()
    conversation = with_bot(step, language="en")
    assert not escalation.escalate(conversation.pk, at=NOW)
    assert conversation.messages.get().body.startswith("All our advisers are busy")


def test_closed_greetings_do_not_contain_the_word_heures(website: Website) -> None:
    for language in ("en", "fr"):
        assert "heures" not in texts_of(website, language)["greeting_closed"]


# --- From live to a queue ---


@pytest.mark.parametrize(("places", "becomes"), [(3, True), (1, True), (0, False), (None, True)])
def test_a_live_conversation_transferred_to_a_queue_becomes_asynchronous(
    places: int | None, becomes: bool, step: RuleStep, alice: Agent
) -> None:
    conversation = on_desk(step, alice, is_asynchronous=False)
    assert not conversation.may_snooze
    team = GroupFactory(website=step.rule.website)
    if places is not None:
        StepFactory(rule=RuleFactory(website=step.rule.website), group=team, places=places)
    by_agent.transfer(conversation.pk, user=alice.user, to=team, at=NOW)
    conversation.refresh_from_db()
    assert conversation.is_asynchronous is conversation.may_snooze is becomes
    assert shown(conversation)["asynchronous"] is becomes


def test_a_live_conversation_stays_live_only_with_a_connected_colleague(
    step: RuleStep, alice: Agent
) -> None:
    free, absent = AgentFactory(), AgentFactory()
    step.group.members.add(free, absent)
    connect(free)
    for colleague, becomes in ((free, False), (absent, True)):
        conversation = on_desk(step, alice, is_asynchronous=False)
        by_agent.transfer(conversation.pk, user=alice.user, to=colleague, at=NOW)
        conversation.refresh_from_db()
        assert conversation.is_asynchronous is becomes


# --- One person, two browsers ---


def person(website: Website, *visitors: Visitor) -> Person:
    customer = Person.objects.create(website=website, external_id="c-1", created_at=NOW)
    for visitor in visitors:
        persons.link(visitor, customer)
    return customer


def test_the_profile_and_pages_combine_all_browsers_of_the_person(
    website: Website, step: RuleStep
) -> None:
    phone, laptop = (VisitorFactory(website=website) for _ in range(2))
    conversation = queued(step, visitor=phone)
    page_views.see(laptop.pk, Seen(url="https://x.test/lamp", device="desktop"), at=NOW)
    page_views.see(phone.pk, Seen(url="https://x.test/cart", device="mobile"), at=NOW + HOUR)
    page_views.see(laptop.pk, Seen(url="https://x.test/lamp", device="desktop"), at=NOW + 2 * HOUR)
    assert [page.url for page in page_views.pages_of(conversation.visitor_id)] == [
        "https://x.test/cart"
    ]
    person(website, phone, laptop)
    profile = page_views.profile_of(conversation.visitor_id)
    assert profile is not None
    assert profile.device == "desktop"
    assert [page.url for page in page_views.pages_of(conversation.visitor_id)] == [
        "https://x.test/lamp",
        "https://x.test/cart",
    ]


def test_linking_two_browsers_leaves_their_conversations_open(
    website: Website, step: RuleStep, alice: Agent
) -> None:
    phone = VisitorFactory(website=website, token="phone", agrees=True)
    laptop = VisitorFactory(website=website, token="laptop", agrees=True)
    over = verbs.close(
        on_desk(step, alice, visitor=phone).pk,
        reason=CloseReason.RESOLVED,
        actor=actors.agent(alice.user),
        at=NOW,
    )
    on_phone = on_desk(step, alice, visitor=phone)
    on_laptop = on_desk(step, alice, visitor=laptop, at=NOW + HOUR)
    for _ in range(2):
        write(on_phone)
    write(on_laptop, at=NOW + HOUR)
    person(website, phone, laptop)

    def state(token: str) -> dict[str, Any]:
        body: dict[str, Any] = Browser(website, token).get("state/").json()
        return body

    # The conversation that began here is the present one; neither is history, and unread messages
    # of both are counted.
    for token, here, other in (("phone", on_phone, on_laptop), ("laptop", on_laptop, on_phone)):
        body = state(token)
        assert body["conversation"]["id"] == str(here.public_id)
        assert [one["id"] for one in body["others"]] == [str(other.public_id)]
        assert [one["id"] for one in body["history"]] == [str(over.public_id)]
        unread = {one["id"]: one["unread"] for one in [body["conversation"], *body["others"]]}
        assert unread == {str(on_phone.public_id): 2, str(on_laptop.public_id): 1}
    Conversation.objects.filter(pk=on_phone.pk).update(visitor_read_seq=1)
    assert state("laptop")["others"][0]["unread"] == 1
    Visitor.objects.update(hidden_at=NOW + HOUR)
    assert state("laptop")["others"] == []


def test_open_conversations_are_listed_before_any_number_of_closed_ones(
    website: Website, step: RuleStep, alice: Agent
) -> None:
    phone = VisitorFactory(website=website, token="phone", agrees=True)
    waiting_one = queued(step, visitor=phone)
    for number in range(queries.HISTORY + 1):
        conversation = on_desk(step, alice, visitor=phone, at=NOW + number * HOUR)
        verbs.close(
            conversation.pk,
            reason=CloseReason.RESOLVED,
            actor=actors.agent(alice.user),
            at=NOW + number * HOUR,
        )
    body = Browser(website, "phone").get("state/").json()
    assert body["conversation"]["id"] == str(waiting_one.public_id)
    assert len(body["history"]) == queries.HISTORY - 1
