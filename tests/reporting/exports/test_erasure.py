"""Files that hold the words of an erased visitor are deleted; others stay."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Role, User
from conversations.lifecycle import actors, verbs
from conversations.models import CloseReason, Conversation
from conversations.privacy import personal_data
from reporting.exports import export_queue
from reporting.figures.period import Period
from reporting.models import Export, ExportState, Fault
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk

pytestmark = pytest.mark.django_db
MARCH = Period(date(2035, 2, 28), date(2035, 3, 6))


@pytest.fixture(autouse=True)
def media(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def step() -> RuleStep:
    step = StepFactory()
    step.group.members.add(AgentFactory())
    return step


@pytest.fixture
def conversation(step: RuleStep) -> Conversation:
    agent = step.group.members.get()
    conversation = on_desk(step, agent, at=NOW - timedelta(minutes=30))
    verbs.close(
        conversation.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=NOW
    )
    conversation.refresh_from_db()
    return conversation


def requested(user: User, period: Period = MARCH) -> Export:
    return export_queue.ask(
        user, subject="conversations", kind="csv", period=period, query="", about="", at=NOW
    )


def with_file(period: Period = MARCH, **covered: Any) -> Export:
    export = requested(UserFactory(role=Role.MANAGER), period)
    name = default_storage.save(f"exports/{export.pk}.csv", ContentFile(b"Mirabelle"))
    done = {"state": ExportState.DONE, "ended_at": NOW, "file": name} | covered
    Export.objects.filter(pk=export.pk).update(**done)
    export.refresh_from_db()
    return export


def is_there(export: Export) -> bool:
    export.refresh_from_db()
    file_exists = default_storage.exists(export.file)
    assert file_exists == (export.state == ExportState.DONE)
    return file_exists


def test_an_erasure_deletes_the_files_that_may_hold_the_visitors_words(
    conversation: Conversation,
    step: RuleStep,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    website, elsewhere = step.rule.website_id, StepFactory()
    of_website = with_file(websites=[website])
    of_group = with_file(groups=[step.group_id])
    of_agent = with_file(only_agent=step.group.members.get().pk)
    of_others = with_file(websites=[elsewhere.rule.website_id], groups=[elsewhere.group_id])
    of_may = with_file(Period(date(2035, 5, 1), date(2035, 6, 1)), websites=[website])
    subject = personal_data.of_visitor(conversation.visitor)
    with django_capture_on_commit_callbacks(execute=True):
        personal_data.erase(subject, by=None, at=NOW)
    assert not any(map(is_there, (of_website, of_group, of_agent)))
    assert of_website.fault == Fault.ERASED
    assert all(map(is_there, (of_others, of_may)))


def test_the_end_of_a_retention_period_deletes_files_too(
    conversation: Conversation,
    step: RuleStep,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    export = with_file(websites=[step.rule.website_id])
    with django_capture_on_commit_callbacks(execute=True):
        personal_data.forget(step.rule.website, [conversation.visitor_id])
    assert not is_there(export)


def test_an_export_under_way_begins_anew(
    conversation: Conversation,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """It may have read the visitor's rows before they were deleted."""
    requested(UserFactory(role=Role.MANAGER))
    running = export_queue.take(at=NOW)
    assert running is not None
    with django_capture_on_commit_callbacks(execute=True):
        personal_data.erase(personal_data.of_visitor(conversation.visitor), by=None, at=NOW)
    with pytest.raises(export_queue.GivenUp):
        export_queue.go_on(running, written=1)
    again = export_queue.take(at=NOW)
    assert again is not None
    assert again.file != running.file
