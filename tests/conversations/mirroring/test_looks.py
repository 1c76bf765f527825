"""Looks at a visitor's page: who may, three at once, each with its beginning and its end."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from accounts.models import Agent, Website
from conversations.facts import LooksChanged
from conversations.lifecycle import actors, verbs
from conversations.mirroring import looks
from conversations.mirroring.decisions import Obstacle
from conversations.mirroring.looks import CannotLook
from conversations.models import (
    CloseReason,
    Consent,
    Conversation,
    LookEnd,
    MirrorLook,
    Person,
    Visitor,
)
from conversations.privacy import personal_data
from core.events import bus
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, VisitorFactory, on_desk

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=20)


@pytest.fixture
def website(step: RuleStep) -> Website:
    website = step.rule.website
    website.mirrors_screen = True
    website.save()
    return website


@pytest.fixture
def conversation(website: Website, step: RuleStep, agent: Agent) -> Conversation:
    visitor = VisitorFactory(website=website, agrees=True)
    Consent.objects.update(covers_mirroring=True)
    return on_desk(step, agent, visitor=visitor)


def refused(conversation: Conversation, agent: Agent) -> Obstacle:
    with pytest.raises(CannotLook) as refusal:
        looks.begin(conversation.pk, agent=agent, at=NOW)
    return refusal.value.obstacle


def test_a_look_says_who_and_from_when_to_when(conversation: Conversation, agent: Agent) -> None:
    look = looks.begin(conversation.pk, agent=agent, at=NOW)
    assert looks.names_of(conversation.pk) == [agent.display_name]
    looks.end(look.pk, how=LookEnd.LEFT, at=LATER)
    [past] = looks.past_of(conversation.pk)
    assert (past.agent, past.began_at, past.ended_at, past.end) == (agent, NOW, LATER, "left")
    assert looks.names_of(conversation.pk) == []


def test_only_where_the_website_wants_it(
    website: Website, conversation: Conversation, agent: Agent
) -> None:
    website.mirrors_screen = False
    website.save()
    assert refused(conversation, agent) == Obstacle.OFF


def test_a_consent_to_another_text_does_not_cover_it(
    conversation: Conversation, agent: Agent
) -> None:
    Consent.objects.update(covers_mirroring=False)
    assert refused(conversation, agent) == Obstacle.NO_CONSENT


def test_a_colleague_who_neither_holds_nor_oversees_it_may_not(
    conversation: Conversation, step: RuleStep
) -> None:
    colleague = AgentFactory()
    step.group.members.add(colleague)
    assert refused(conversation, colleague) == Obstacle.NOT_YOURS
    step.group.managers.add(colleague.user)
    colleague.user.role = "manager"
    colleague.user.save()
    assert looks.begin(conversation.pk, agent=colleague, at=NOW).place == 1


def test_three_look_at_once_and_no_fourth(conversation: Conversation, agent: Agent) -> None:
    places = [looks.begin(conversation.pk, agent=agent, at=NOW).place for _ in range(3)]
    assert places == [1, 2, 3]
    assert refused(conversation, agent) == Obstacle.FULL
    looks.end(MirrorLook.objects.get(place=2).pk, how=LookEnd.LEFT, at=LATER)
    assert looks.begin(conversation.pk, agent=agent, at=NOW).place == 2


def test_a_silent_desk_gives_its_place_back(conversation: Conversation, agent: Agent) -> None:
    for _ in range(3):
        looks.begin(conversation.pk, agent=agent, at=NOW)
    late = NOW + looks.SILENCE + timedelta(seconds=1)
    assert looks.begin(conversation.pk, agent=agent, at=late).place == 1
    ended = looks.past_of(conversation.pk)
    assert {(look.ended_at, look.end) for look in ended} == {(NOW, "lost")}


def test_the_sweep_ends_what_nobody_ended(conversation: Conversation, agent: Agent) -> None:
    look = looks.begin(conversation.pk, agent=agent, at=NOW)
    assert looks.end_silent(at=NOW + looks.SILENCE) == 0
    assert looks.end_silent(at=NOW + looks.SILENCE + timedelta(seconds=1)) == 1
    assert looks.how_ended(look.pk) == "lost"


def test_the_visitor_stops_it_for_good(conversation: Conversation, agent: Agent) -> None:
    look = looks.begin(conversation.pk, agent=agent, at=NOW)
    looks.stop(conversation.pk, at=LATER)
    assert looks.how_ended(look.pk) == "stopped"
    assert not looks.renew(look.pk, at=LATER)
    assert refused(conversation, agent) == Obstacle.STOPPED


def test_a_conversation_that_leaves_the_desk_ends_the_look(
    conversation: Conversation, agent: Agent
) -> None:
    look = looks.begin(conversation.pk, agent=agent, at=NOW)
    assert looks.renew(look.pk, at=LATER)
    who = actors.agent(agent.user)
    verbs.close(conversation.pk, reason=CloseReason.RESOLVED, actor=who, at=LATER)
    assert not looks.renew(look.pk, at=LATER)
    assert looks.how_ended(look.pk) == "revoked"


def test_a_withdrawn_consent_ends_the_look(conversation: Conversation, agent: Agent) -> None:
    look = looks.begin(conversation.pk, agent=agent, at=NOW)
    Consent.objects.create(
        visitor=conversation.visitor, kind="withdrawn", language="fr", given_at=LATER
    )
    assert not looks.renew(look.pk, at=LATER)


def test_a_withdrawal_ends_all_looks_at_the_persons_pages(
    conversation: Conversation, step: RuleStep, agent: Agent
) -> None:
    website = conversation.website
    person = Person.objects.create(website=website, external_id="jeanne", created_at=NOW)
    Visitor.objects.filter(pk=conversation.visitor_id).update(person=person)
    phone = on_desk(step, agent, visitor=VisitorFactory(website=website, person=person))
    other = on_desk(step, agent, visitor=VisitorFactory(website=website, agrees=True))
    Consent.objects.update(covers_mirroring=True)
    seen = (conversation, conversation, phone)
    theirs = [looks.begin(one.pk, agent=agent, at=NOW) for one in seen]
    elses = looks.begin(other.pk, agent=agent, at=NOW)
    before = looks.begin(conversation.pk, agent=agent, at=NOW)
    looks.end(before.pk, how=LookEnd.LEFT, at=NOW)
    ids = [conversation.visitor_id, phone.visitor_id]
    assert looks.end_withdrawn(ids, at=LATER) == 3
    assert {looks.how_ended(look.pk) for look in theirs} == {"revoked"}
    revoked = MirrorLook.objects.filter(end="revoked")
    assert set(revoked.values_list("ended_at", flat=True)) == {LATER}
    assert (looks.how_ended(before.pk), looks.how_ended(elses.pk)) == ("left", "")
    assert looks.end_withdrawn(ids, at=LATER) == 0


def test_an_ended_look_stands(conversation: Conversation, agent: Agent) -> None:
    look = looks.begin(conversation.pk, agent=agent, at=NOW)
    looks.end(look.pk, how=LookEnd.LEFT, at=LATER)
    for change in (
        lambda: MirrorLook.objects.update(ended_at=None, end=""),
        lambda: MirrorLook.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


@pytest.mark.parametrize(
    "change",
    [
        {"began_at": LATER},
        {"agent_id": F("agent_id") + 1},
        {"conversation_id": F("conversation_id") + 1},
    ],
)
def test_an_open_look_keeps_its_conversation_its_agent_and_its_beginning(
    conversation: Conversation, agent: Agent, change: dict[str, Any]
) -> None:
    looks.begin(conversation.pk, agent=agent, at=NOW)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        MirrorLook.objects.update(**change)


def test_an_open_look_is_not_deleted(conversation: Conversation, agent: Agent) -> None:
    looks.begin(conversation.pk, agent=agent, at=NOW)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        MirrorLook.objects.all()._raw_delete("default")


def test_an_erasure_takes_the_looks_along(conversation: Conversation, agent: Agent) -> None:
    looks.end(looks.begin(conversation.pk, agent=agent, at=NOW).pk, how=LookEnd.LEFT, at=LATER)
    who = actors.agent(agent.user)
    verbs.close(conversation.pk, reason=CloseReason.RESOLVED, actor=who, at=LATER)
    exported = personal_data.export(personal_data.of_visitor(conversation.visitor))
    assert len(exported["tables"]["conversations.mirrorlook"]) == 1
    personal_data.forget(conversation.website, [conversation.visitor_id])
    assert not MirrorLook.objects.exists()


def test_only_the_visitors_own_conversation_is_recorded(
    website: Website, conversation: Conversation, agent: Agent
) -> None:
    mine, public_id = conversation.visitor_id, conversation.public_id
    assert looks.recorded(mine, public_id) is None
    looks.begin(conversation.pk, agent=agent, at=NOW)
    assert looks.recorded(mine, public_id) == conversation.pk
    stranger = VisitorFactory(website=website)
    assert looks.recorded(stranger.pk, public_id) is None
    assert looks.of_visitor(stranger.pk, public_id) is None


@pytest.mark.django_db(transaction=True)
def test_names_are_announced_after_the_commit(conversation: Conversation, agent: Agent) -> None:
    heard: list[LooksChanged] = []

    async def hear(fact: Any) -> None:
        heard.append(fact)

    bus.on(LooksChanged, hear)
    try:
        look = looks.begin(conversation.pk, agent=agent, at=NOW)
        looks.end(look.pk, how=LookEnd.LEFT, at=LATER)
    finally:
        bus._live[LooksChanged].remove(hear)
    assert [fact.names for fact in heard] == [(agent.display_name,), ()]
    assert [fact.look_ids for fact in heard] == [(look.pk,), ()]
    assert {fact.agent_ids for fact in heard} == {(agent.pk,)}


@pytest.mark.django_db(transaction=True)
def test_eight_who_begin_at_once_get_three_places(conversation: Conversation, agent: Agent) -> None:
    together = threading.Barrier(8)
    got: list[int | Obstacle] = []

    def run() -> None:
        together.wait()
        try:
            got.append(looks.begin(conversation.pk, agent=agent, at=NOW).place)
        except CannotLook as refusal:
            got.append(refusal.obstacle)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one for one in got if isinstance(one, int)) == [1, 2, 3]
    assert got.count(Obstacle.FULL) == 5
