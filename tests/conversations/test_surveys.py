"""The reason for a closure without a survey is stored with the agent and the group (B11)."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import Agent
from conversations.lifecycle import verbs
from conversations.lifecycle.actors import agent as actor
from conversations.messages import sending
from conversations.models import (
    Author,
    CloseReason,
    Consent,
    ConsentKind,
    Omission,
    Survey,
    SurveyOmission,
)
from conversations.visitors import persons
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import on_desk

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("reason", "is_answered", "is_withdrawn", "omission"),
    [
        (CloseReason.RESOLVED, True, False, None),
        (CloseReason.RESOLVED, False, False, Omission.UNANSWERED),
        (CloseReason.RESOLVED, True, True, Omission.WITHDRAWN),
        (CloseReason.BLOCKED, True, False, Omission.BLOCKED),
    ],
)
def test_closure_offers_a_survey_or_records_an_omission(
    step: RuleStep,
    agent: Agent,
    reason: CloseReason,
    is_answered: bool,
    is_withdrawn: bool,
    omission: Omission | None,
) -> None:
    conversation = on_desk(step, agent)
    if is_answered:
        sending.add(
            conversation.pk, author=Author.AGENT, body="Voilà", client_id=uuid.uuid4(), at=NOW
        )
    if is_withdrawn:
        withdrawn = Consent(kind=ConsentKind.WITHDRAWN, language="fr", given_at=NOW)
        persons.record(conversation.visitor, withdrawn)
    verbs.close(conversation.pk, reason=reason, actor=actor(agent.user), at=NOW)
    omissions = SurveyOmission.objects.values_list("reason", "agent", "group")
    expected = [] if omission is None else [(omission, agent.pk, step.group_id)]
    assert list(omissions) == expected
    assert Survey.objects.count() == (omission is None)
