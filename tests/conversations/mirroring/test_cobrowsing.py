"""Sessions of co-browsing: asked, accepted, ended by either side; what was done stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F

from accounts.models import Agent, CobrowsingPermission, Website
from conversations.lifecycle import actors, verbs
from conversations.mirroring import cobrowsing, looks
from conversations.mirroring.cobrowsing import CannotCobrowse
from conversations.mirroring.permissions import CobrowsingObstacle
from conversations.models import (
    CloseReason,
    CobrowsingAct,
    CobrowsingSession,
    Consent,
    Conversation,
    LookEnd,
    MirrorLook,
)
from conversations.privacy import personal_data
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, VisitorFactory, on_desk

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=20)


@pytest.fixture
def website(step: RuleStep) -> Website:
    website = step.rule.website
    website.mirrors_screen = True
    website.cobrowsing = ["point", "click"]
    website.save()
    return website


@pytest.fixture
def conversation(website: Website, step: RuleStep, agent: Agent) -> Conversation:
    visitor = VisitorFactory(website=website, agrees=True)
    Consent.objects.update(covers_mirroring=True)
    return on_desk(step, agent, visitor=visitor)


@pytest.fixture
def look(conversation: Conversation, agent: Agent) -> MirrorLook:
    return looks.begin(conversation.pk, agent=agent, at=NOW)


def asked(look: MirrorLook) -> CobrowsingSession:
    session = cobrowsing.ask(look.pk, at=NOW)
    assert session is not None
    return session


def accepted(look: MirrorLook) -> CobrowsingSession:
    session = asked(look)
    assert cobrowsing.answer(look.conversation_id, session.pk, accepts=True, at=LATER)
    session.refresh_from_db()
    return session


def refused(look: MirrorLook) -> CobrowsingObstacle:
    with pytest.raises(CannotCobrowse) as refusal:
        cobrowsing.ask(look.pk, at=NOW)
    return refusal.value.obstacle


def test_nothing_can_be_done_before_the_visitor_accepts(look: MirrorLook) -> None:
    session = asked(look)
    assert session.allowed == ["point", "click"]
    assert cobrowsing.act(look.pk, "click", at=LATER) is None
    assert cobrowsing.answer(look.conversation_id, session.pk, accepts=True, at=LATER)
    act = cobrowsing.act(look.pk, "click", at=LATER)
    assert act is not None
    assert (act.number, act.kind, act.outcome) == (1, "click", "")


def test_what_the_website_does_not_allow_is_refused_also_if_it_was_allowed(
    website: Website, look: MirrorLook
) -> None:
    accepted(look)
    assert cobrowsing.act(look.pk, "fill", at=LATER) is None
    website.cobrowsing = ["point"]
    website.save()
    assert cobrowsing.act(look.pk, "click", at=LATER) is None
    website.cobrowsing = ["point", "click", "fill"]  # The visitor was not shown that.
    website.save()
    assert cobrowsing.act(look.pk, "fill", at=LATER) is None
    assert cobrowsing.act(look.pk, "click", at=LATER) is not None


def test_only_where_the_website_wants_it(website: Website, look: MirrorLook) -> None:
    website.cobrowsing = []
    website.save()
    assert refused(look) == CobrowsingObstacle.OFF


def test_an_overseer_who_looks_may_not_ask(conversation: Conversation, step: RuleStep) -> None:
    manager = AgentFactory(user__role="manager")
    step.group.managers.add(manager.user)
    assert refused(looks.begin(conversation.pk, agent=manager, at=NOW)) == (
        CobrowsingObstacle.NOT_HOLDER
    )


def test_after_three_refusals_nobody_asks_again(look: MirrorLook) -> None:
    for _ in range(3):
        session = asked(look)
        assert refused(look) == CobrowsingObstacle.BUSY
        assert cobrowsing.answer(look.conversation_id, session.pk, accepts=False, at=LATER)
        session.refresh_from_db()
        assert (session.end, session.accepted_at) == ("declined", None)
    assert refused(look) == CobrowsingObstacle.DECLINED


def test_an_answer_counts_once_and_for_its_own_question(look: MirrorLook) -> None:
    session = asked(look)
    number = look.conversation_id
    assert not cobrowsing.answer(number, session.pk + 1, accepts=True, at=LATER)
    assert cobrowsing.answer(number, session.pk, accepts=True, at=LATER)
    assert not cobrowsing.answer(number, session.pk, accepts=False, at=LATER)


@pytest.mark.parametrize(
    ("end", "how"),
    [
        (lambda look: cobrowsing.stop(look.conversation_id, at=LATER), "stopped"),
        (lambda look: cobrowsing.leave(look.pk, at=LATER), "left"),
        (lambda look: looks.end(look.pk, how=LookEnd.LEFT, at=LATER), "left"),
        (lambda look: looks.stop(look.conversation_id, at=LATER), "stopped"),
        (lambda look: looks.end_silent(at=NOW + timedelta(hours=1)), "left"),
    ],
)
def test_either_side_ends_it_and_the_look_does(
    look: MirrorLook, end: Callable[[MirrorLook], object], how: str
) -> None:
    session = accepted(look)
    end(look)
    session.refresh_from_db()
    assert session.end == how
    assert cobrowsing.act(look.pk, "click", at=LATER) is None


def test_it_ends_when_the_conversation_leaves_the_agents_desk(
    look: MirrorLook, agent: Agent, step: RuleStep
) -> None:
    session = accepted(look)
    step.group.managers.add(agent.user)  # They may still look.
    agent.user.role = "manager"
    agent.user.save()
    Conversation.objects.filter(pk=look.conversation_id).update(agent=None, status="queued")
    assert cobrowsing.act(look.pk, "click", at=LATER) is None
    assert looks.renew(look.pk, at=LATER)
    session.refresh_from_db()
    assert session.end == "revoked"


def test_a_question_without_an_answer_ends(look: MirrorLook) -> None:
    session = asked(look)
    looks.renew(look.pk, at=NOW + cobrowsing.PATIENCE)
    session.refresh_from_db()
    assert session.end == ""
    looks.renew(look.pk, at=NOW + cobrowsing.PATIENCE + timedelta(seconds=1))
    session.refresh_from_db()
    assert session.end == "unanswered"


def test_what_was_done_is_told_once(look: MirrorLook) -> None:
    accepted(look)
    number = look.conversation_id
    assert cobrowsing.act(look.pk, "click", at=LATER) is not None
    assert cobrowsing.settle(number, 1, outcome="anything", target="") is None
    assert cobrowsing.settle(number + 1, 1, outcome="done", target="") is None
    assert cobrowsing.settle(number, 2, outcome="done", target="") is None
    assert cobrowsing.settle(number, 1, outcome="done", target="Buy" * 100) == look.pk
    assert cobrowsing.settle(number, 1, outcome="secret", target="") is None
    act = CobrowsingAct.objects.get()
    assert (act.outcome, len(act.target)) == ("done", 200)


OF_THE_SESSION: list[dict[str, Any]] = [
    {"conversation_id": F("conversation_id") + 1},
    {"agent_id": F("agent_id") + 1},
    {"look_id": F("look_id") + 1},
    {"allowed": ["fill"]},
    {"asked_at": LATER},
    {"accepted_at": None},
    {"accepted_at": NOW},
]
OF_THE_ACT: list[dict[str, Any]] = [
    {"session_id": F("session_id") + 1},
    {"number": 2},
    {"at": NOW},
    {"kind": "fill"},
]


def test_what_has_happened_stands(look: MirrorLook) -> None:
    session = accepted(look)
    cobrowsing.act(look.pk, "click", at=LATER)
    changes = [
        *(partial(CobrowsingSession.objects.update, **change) for change in OF_THE_SESSION),
        *(partial(CobrowsingAct.objects.update, **change) for change in OF_THE_ACT),
        partial(CobrowsingSession.objects.all()._raw_delete, "default"),
        CobrowsingAct.objects.all().delete,
    ]
    for change in changes:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    cobrowsing.settle(look.conversation_id, 1, outcome="done", target="")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CobrowsingAct.objects.update(outcome="secret")
    cobrowsing.stop(look.conversation_id, at=LATER)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CobrowsingSession.objects.filter(pk=session.pk).update(end="left")


def test_pointers_are_not_stored(look: MirrorLook) -> None:
    session = accepted(look)
    with pytest.raises(DatabaseError, match="pointers_are_no_acts"), transaction.atomic():
        session.acts.create(number=1, at=NOW, kind=CobrowsingPermission.POINT)


def test_an_erasure_takes_it_along(
    conversation: Conversation, look: MirrorLook, agent: Agent
) -> None:
    accepted(look)
    cobrowsing.act(look.pk, "click", at=LATER)
    verbs.close(
        conversation.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=LATER
    )
    exported = personal_data.export(personal_data.of_visitor(conversation.visitor))["tables"]
    assert len(exported["conversations.cobrowsingsession"]) == 1
    assert len(exported["conversations.cobrowsingact"]) == 1
    personal_data.forget(conversation.website, [conversation.visitor_id])
    assert not CobrowsingSession.objects.exists()
    assert not CobrowsingAct.objects.exists()
