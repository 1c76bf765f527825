"""The pages of tags: archiving, using again and merging, within the websites that one oversees."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Role, User
from conversations.lifecycle.actors import BOT
from conversations.models import ConversationTag, Tag
from conversations.reasons import tagging
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import StepFactory, TagFactory, UserFactory, WebsiteFactory, queued

pytestmark = pytest.mark.django_db
LIST = "/admin/conversations/tag/"


@pytest.fixture
def manager(step: RuleStep) -> User:
    manager = UserFactory(role=Role.MANAGER)
    step.group.managers.add(manager)
    return manager


@pytest.fixture
def client(manager: User) -> Client:
    client = Client()
    client.force_login(manager)
    return client


def act(client: Client, action: str, *tags: Tag, **more: object) -> str:
    data = {"action": action, "_selected_action": [tag.pk for tag in tags], **more}
    return client.post(LIST, data, follow=True).content.decode()


def test_manager_archives_and_uses_again(client: Client, step: RuleStep) -> None:
    tag, other = (TagFactory(website=step.rule.website) for _n in range(2))
    assert "2 tags archived." in act(client, "archive", tag, other)
    assert "can be used again" in act(client, "restore", tag)
    states = {one.pk: one.is_archived for one in Tag.objects.all()}
    assert states == {tag.pk: False, other.pk: True}
    for state, shown in (("offered", tag), ("archived", other)):
        page = client.get(LIST, {"state": state}).content.decode()
        assert shown.name in page
        assert (tag if shown == other else other).name not in page


def test_manager_merges_after_choosing_what_remains(client: Client, step: RuleStep) -> None:
    website = step.rule.website
    first, second, rest = (TagFactory(website=website) for _n in range(3))
    foreign = TagFactory(website=WebsiteFactory())
    for tag in (first, second, rest):
        tagging.add(queued(step).pk, [tag.pk], actor=BOT, at=NOW)
    asked = act(client, "merge", first, second)
    assert f'<option value="{rest.pk}">' in asked
    assert foreign.name not in asked
    assert f'<option value="{first.pk}">' not in asked
    for bad in ("", str(first.pk), str(foreign.pk), "x"):
        assert "Choose the tag that remains." in act(client, "merge", first, second, into=bad)
    assert ConversationTag.objects.filter(tag=rest).count() == 1
    done = act(client, "merge", first, second, into=rest.pk)
    assert f"2 conversations moved to “{rest.name}”." in done
    assert ConversationTag.objects.filter(tag=rest).count() == 3
    assert "Choose tags of one website" in act(client, "merge", first, into=rest.pk)
    assert "was merged into" in act(client, "restore", first)


def test_tags_of_other_websites_are_out_of_reach(client: Client, step: RuleStep) -> None:
    foreign = TagFactory(website=WebsiteFactory(), name="Foreign")
    assert "Foreign" not in client.get(LIST).content.decode()
    assert client.get(f"{LIST}{foreign.pk}/change/").status_code == 302
    act(client, "archive", foreign)
    assert not Tag.objects.get(pk=foreign.pk).is_archived
    data = {"website": foreign.website_id, "name": "x", "colour": "grey"}
    assert "Select a valid choice" in client.post(f"{LIST}add/", data).content.decode()


def test_conversations_of_other_teams_are_not_counted(client: Client, step: RuleStep) -> None:
    tag, beside = TagFactory(website=step.rule.website), StepFactory(rule=step.rule)
    for one in (step, beside, beside):
        tagging.add(queued(one).pk, [tag.pk], actor=BOT, at=NOW)
    [row] = client.get(LIST).context["cl"].result_list
    assert row.uses == 1


def test_reviewer_sees_and_changes_nothing(step: RuleStep) -> None:
    reviewer, tag = UserFactory(role=Role.REVIEWER), TagFactory(website=step.rule.website)
    step.group.managers.add(reviewer)
    client = Client()
    client.force_login(reviewer)
    assert tag.name in client.get(LIST).content.decode()
    act(client, "archive", tag)
    assert not Tag.objects.get(pk=tag.pk).is_archived
