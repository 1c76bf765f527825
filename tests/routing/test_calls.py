"""Visitors ask for a call: who offers one, where it goes, and who answers or calls back (C41)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Agent, AgentChannel, Channel, Website
from conversations.calls import verbs as calls
from conversations.calls.states import Side
from conversations.models import Call, Conversation
from routing import call_offers, dispatch, engagement, invariants, load
from routing.call_offers import CallOffer
from routing.engagement import NoRoom
from routing.models import RuleStep, TargetingRule
from routing.targeting import PageView
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    BotFactory,
    RuleFactory,
    StepFactory,
    VisitorFactory,
    connect,
    on_desk,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
PAGE = PageView(url="https://www.example.com/", language="fr")


@pytest.fixture
def chats() -> RuleStep:
    return StepFactory(places=5, rule__website__calls="video")


@pytest.fixture
def website(chats: RuleStep) -> Website:
    return chats.rule.website


@pytest.fixture
def live(chats: RuleStep) -> RuleStep:
    """Calls have a rule of their own, without places, offered on every page."""
    rule = RuleFactory(website=chats.rule.website, everywhere=False)
    TargetingRule.objects.update(calls_rule=rule)
    return StepFactory(rule=rule, group=chats.group, places=0)


@pytest.fixture
def alice(live: RuleStep) -> Agent:
    """An agent with one call at a time, and no video."""
    agent = AgentFactory(display_name="Alice")
    live.group.members.add(agent)
    AgentChannel.objects.create(
        agent=agent, channel=Channel.CALL, slots=1, is_available=True, available_changed_at=NOW
    )
    connect(agent)
    return agent


def enter(website: Website, channel: Channel = Channel.CALL, **more: Any) -> Conversation:
    conversation, _sent = engagement.start(
        VisitorFactory(website=website, agrees=True),
        body="I would like to talk to an adviser.",
        client_id=uuid.uuid4(),
        page_url=PAGE.url,
        language="fr",
        view=PAGE,
        channel=channel,
        at=NOW,
        **more,
    )
    conversation.refresh_from_db()
    return conversation


def offered(website: Website) -> CallOffer:
    targets = [rule.as_target() for rule in TargetingRule.deciding(website)]
    found = call_offers.of_targets(website, targets, at=NOW)
    return next(iter(found.values()), CallOffer())


def test_a_call_goes_straight_to_the_desk_of_who_is_available_for_calls(
    website: Website, alice: Agent
) -> None:
    assert offered(website) == CallOffer(call="now")
    conversation = enter(website)
    assert (conversation.status, conversation.agent, conversation.channel) == (
        "active",
        alice,
        "call",
    )
    assert offered(website) == CallOffer()  # full: without places nobody can wait


def test_chats_take_no_slot_of_calls_and_the_other_way_round(
    website: Website, chats: RuleStep, alice: Agent
) -> None:
    on_desk(chats, alice)
    assert offered(website).call == "now"
    enter(website)
    assert load.taker(alice.pk, Channel.CHAT, at=NOW).free == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("channel", [Channel.CALL, Channel.VIDEO])
def test_without_somebody_available_nothing_is_offered(
    website: Website, alice: Agent, channel: Channel
) -> None:
    AgentChannel.objects.filter(channel=Channel.CALL).update(is_available=False)
    assert not offered(website)
    with pytest.raises(NoRoom, match="No one can take a call"):
        enter(website, channel)
    assert not Conversation.objects.exists()


def test_with_places_visitors_are_called_back_by_the_next_who_is_free(
    website: Website, live: RuleStep, alice: Agent
) -> None:
    RuleStep.objects.filter(pk=live.pk).update(places=2)
    first = enter(website)
    dispatch.drain_group(live.group_id, Channel.CALL)
    assert offered(website) == CallOffer(call="later", video="later")
    second = enter(website)
    assert (second.status, second.is_asynchronous) == ("queued", True)
    dispatch.drain_group(live.group_id, Channel.CALL)
    second.refresh_from_db()
    assert second.status == "queued"
    AgentChannel.objects.filter(channel=Channel.CALL).update(slots=2)
    dispatch.drain_agent(agent_id=alice.pk)
    for one in (first, second):
        one.refresh_from_db()
        assert (one.status, one.agent) == ("active", alice)


@pytest.mark.parametrize(
    ("field", "value"), [("calls", "off"), ("calls_rule", None), ("is_enabled", False)]
)
def test_calls_are_offered_only_where_website_and_rule_have_them(
    website: Website, live: RuleStep, alice: Agent, field: str, value: Any
) -> None:
    if field == "calls":
        Website.objects.update(calls=value)
        website.refresh_from_db()
    elif field == "calls_rule":
        TargetingRule.objects.update(calls_rule=value)
    else:
        type(live.rule).objects.filter(pk=live.rule_id).update(is_enabled=value)
    assert not offered(website)
    with pytest.raises(NoRoom, match="not offered"):
        enter(website)


def test_video_needs_a_website_with_video_and_an_agent_with_slots_for_it(
    website: Website, alice: Agent
) -> None:
    AgentChannel.objects.create(
        agent=alice, channel=Channel.VIDEO, slots=1, is_available=True, available_changed_at=NOW
    )
    assert offered(website) == CallOffer(call="now", video="now")
    Website.objects.update(calls="voice")
    website.refresh_from_db()
    assert offered(website) == CallOffer(call="now")
    with pytest.raises(NoRoom, match="not offered"):
        enter(website, Channel.VIDEO)


def ring(conversation: Conversation) -> Call:
    return calls.begin(
        conversation.pk,
        by=Side.VISITOR,
        tab=uuid.uuid4(),
        with_video=False,
        is_there=True,
        at=NOW,
    )


@pytest.mark.usefixtures("durable_wires")
def test_during_a_call_no_other_call_comes_and_afterwards_it_does(
    website: Website,
    chats: RuleStep,
    live: RuleStep,
    alice: Agent,
    django_capture_on_commit_callbacks: Any,
) -> None:
    RuleStep.objects.filter(pk=live.pk).update(places=2)
    call = ring(on_desk(chats, alice, visitor=VisitorFactory(website=website, agrees=True)))
    waiting = enter(website)
    dispatch.drain_group(live.group_id, Channel.CALL)
    waiting.refresh_from_db()
    assert waiting.status == "queued"
    assert offered(website).call == "later"
    [view] = load.views(Agent.objects.filter(pk=alice.pk), Channel.CALL, at=NOW)
    assert (view.free, load.taker(alice.pk, Channel.CALL, at=NOW).free) == (0, 0)  # type: ignore[union-attr]
    assert load.taker(alice.pk, Channel.CHAT, at=NOW).free  # type: ignore[union-attr]
    assert not list(invariants.lost_capacity(at=NOW, patience=timedelta()))

    with django_capture_on_commit_callbacks(execute=True):
        calls.end(call.public_id, by=Side.AGENT, at=NOW)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.agent) == ("active", alice)


def test_a_call_that_the_agent_does_not_answer_goes_back_to_the_queue(
    website: Website, alice: Agent
) -> None:
    conversation = enter(website)
    call = ring(conversation)
    calls.enforce(call.public_id, at=NOW + timedelta(minutes=5))
    conversation.refresh_from_db()
    assert (conversation.status, conversation.agent) == ("queued", None)
    assert not AgentChannel.objects.get(agent=alice, channel=Channel.CALL).is_available
    assert AgentChannel.objects.get(agent=alice, channel=Channel.CHAT).is_available


def test_no_bot_answers_a_call(website: Website, live: RuleStep, alice: Agent) -> None:
    type(live.rule).objects.update(bot=BotFactory(website=website))
    assert enter(website).status == "active"
    assert enter(website, Channel.CHAT).status == "bot"
