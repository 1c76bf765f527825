"""Every figure is narrowed and divided by tag, and a merge loses nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from accounts.models import Role
from accounts.supervision import EVERYTHING
from conversations.lifecycle import actors, verbs
from conversations.models import CloseReason, Conversation, Tag
from conversations.reasons import catalogue, tagging
from reporting import figures
from reporting.exports import conversations
from reporting.figures import answers
from reporting.figures.period import Period
from reporting.figures.scope import Filters, Scope
from reporting.reports import content
from reporting.reports.filters import chosen, read
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    StepFactory,
    TagFactory,
    UserFactory,
    WebsiteFactory,
    on_desk,
)
from tests.reporting.histories import World

pytestmark = pytest.mark.django_db
ALL = list(figures.FIGURES.values())
OPENED = [figures.FIGURES["opened"]]


@pytest.fixture
def step() -> RuleStep:
    return StepFactory()


def closed(step: RuleStep, *tags: Tag) -> Conversation:
    agent = AgentFactory()
    step.group.members.add(agent)
    conversation = on_desk(step, agent)
    actor = actors.agent(agent.user)
    verbs.close(conversation.pk, reason=CloseReason.RESOLVED, actor=actor, at=NOW)
    tagging.add(conversation.pk, [tag.pk for tag in tags], actor=actor, at=NOW)
    return conversation


def today(step: RuleStep, **filters: Any) -> Scope:
    day = NOW.astimezone(step.rule.website.zone).date()
    period = Period(day, day + timedelta(days=1))
    website = step.rule.website
    return Scope((website,), period, Filters(**filters), supervised=EVERYTHING)


@pytest.mark.parametrize("history", [2, 5, 6])
def test_each_part_is_what_the_filter_counts_and_opens(history: int) -> None:
    """For every figure: the part of a tag in a division is the figure narrowed to the tag, and as
    many rows are behind it. The conversations have zero to three tags each."""
    world = World.make()
    world.live(history)
    tags: dict[int, list[Tag]] = {
        website.pk: [TagFactory(website=website) for _n in range(3)] for website in world.websites
    }
    for number, conversation in enumerate(Conversation.objects.order_by("pk")):
        mine = tags[conversation.website_id][: number % 4]
        tagging.add(conversation.pk, [tag.pk for tag in mine], actor=actors.BOT, at=NOW)
    first = min(Conversation.objects.values_list("opened_at", flat=True)).date()
    period = Period(first - timedelta(days=1), first + timedelta(days=9))
    scope = Scope(tuple(world.websites), period, supervised=EVERYTHING)
    by_tag = answers.cut(ALL, scope, answers.BY_TAG)
    counted = 0
    for tag in Tag.objects.all():
        narrowed = replace(scope, filters=Filters(tag=tag.pk))
        totals = answers.total(ALL, narrowed)
        for figure in ALL:
            part = by_tag.get(tag.pk, {}).get(figure.name)
            whole = totals[figure.name]
            assert (part.n if part else 0) == whole.n, (figure.name, tag)
            assert narrowed.behind(figure.measure(narrowed)).count() == whole.n, figure.name
            if part is not None and whole.value is not None:
                assert part.value == pytest.approx(whole.value), figure.name
            counted += whole.n
    assert counted > 20


def test_merge_counts_each_conversation_of_both_tags_once(step: RuleStep) -> None:
    website = step.rule.website
    first, second = TagFactory(website=website), TagFactory(website=website)
    for tags in ([first], [second], [first, second], []):
        closed(step, *tags)
    assert [row.cells[0][1].n for row in content.breakdown(today(step), "tag", "closed").rows] == [
        2,
        2,
        1,  # without a tag
    ]
    catalogue.merge(first, into=second, actor=actors.SYSTEM, at=NOW)
    rows = content.breakdown(today(step), "tag", "closed").rows
    assert [(str(row.name), row.parameter, row.cells[0][1].n) for row in rows] == [
        (second.name, f"tag={second.pk}", 3),
        ("none", "", 1),
    ]
    assert answers.total(OPENED, today(step))["opened"].n == 4


def test_address_of_a_merged_tag_means_the_one_that_remains(step: RuleStep) -> None:
    website = step.rule.website
    first, second, last, archived = (TagFactory(website=website) for _n in range(4))
    foreign = TagFactory(website=WebsiteFactory())
    for tag, into in ((first, second), (second, last)):
        catalogue.merge(tag, into=into, actor=actors.SYSTEM, at=NOW)
    catalogue.archive(archived, at=NOW)
    manager = UserFactory(role=Role.MANAGER)
    step.group.managers.add(manager)
    form = read(QueryDict(f"tag={first.pk}"), user=manager, at=NOW)
    assert chosen(form).scope.filters.tag == last.pk
    offered = [value for value, _label in form.fields["tag"].choices]  # type: ignore[attr-defined]
    assert sorted(offered[1:]) == sorted([last.pk, archived.pk])
    assert foreign.pk not in offered


def test_report_shows_each_tag_and_opens_its_conversations(step: RuleStep) -> None:
    website = step.rule.website
    late, lost = TagFactory(website=website, name="Late"), TagFactory(website=website, name="Lost")
    one, both, plain = closed(step, late), closed(step, late, lost), closed(step)
    manager = UserFactory(role=Role.MANAGER)
    step.group.managers.add(manager)
    client = Client()
    client.force_login(manager)
    day = NOW.astimezone(website.zone).date().isoformat()
    query = f"period=custom&first={day}&last={day}"
    page = client.get(f"/reports/reasons/?{query}").content.decode()
    assert "Late" in page
    link = re.search(rf'href="(/reports/rows/closed/\?[^"]*tag={late.pk})"', page)
    assert link is not None
    behind = client.get(link[1].replace("&amp;", "&")).content.decode()
    assert f"#{one.pk}" in behind
    assert f"#{both.pk}" in behind
    assert f"#{plain.pk}<" not in behind
    sheet = client.get(f"/reports/tables/reasons.csv?{query}&by=group").content.decode()
    assert [line.split(";")[:3] for line in sheet.splitlines()[1:]] == [
        ["Late", "2.0", "2.0"],
        ["Lost", "1.0", "1.0"],
        ["none", "1.0", "1.0"],
    ]
    agent = Client()
    agent.force_login(AgentFactory().user)
    assert agent.get("/reports/reasons/").status_code == 404


def test_export_of_conversations_names_their_tags(step: RuleStep) -> None:
    website = step.rule.website
    tags = [TagFactory(website=website, name=name) for name in ("Lost", "Late")]
    both, plain = closed(step, *tags), closed(step)
    scope = today(step)
    rows = [row for piece in conversations.Writer(scope).pieces(scope) for row in piece]
    assert {row[0]: row[-1] for row in rows} == {both.pk: "Late, Lost", plain.pk: ""}
    assert len(rows[0]) == len(conversations.headings())
    narrowed = today(step, tag=tags[0].pk)
    some = [row for piece in conversations.Writer(narrowed).pieces(narrowed) for row in piece]
    assert [row[0] for row in some] == [both.pk]
