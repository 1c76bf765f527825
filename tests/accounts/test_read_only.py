"""Auditors and quality reviewers read what they oversee, and change nothing anywhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from accounts import entitlement, supervision
from accounts.entitlement import Bar
from accounts.logins.enforcement import VISITORS
from accounts.models import Agent, AgentChannel, Group, Role, User
from accounts.read_only import permitted
from conversations.agents import ownership
from conversations.lifecycle import invariants
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation
from desk import queries
from routing.actions import reclaiming
from routing.models import RuleStep
from tests.api_clients import with_token
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.config.api import world
from tests.factories import AgentFactory, GroupFactory, StepFactory, UserFactory, on_desk, queued
from tests.logins import log_in_freshly

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

REFUSED = {400, 401, 403, 404, 405, 410}
ROLES = (Role.AUDITOR, Role.REVIEWER)
SAMPLE = {
    "IntConverter": 1,
    "UUIDConverter": "1d7e6c1e-3c0b-4e0e-9a3e-0c3f5b1e2a3b",
    "SlugConverter": "word",
    "StringConverter": "word",
    "PathConverter": "word",
}


def user_of(role: Role) -> User:
    return UserFactory(role=role, is_staff=True)


@pytest.fixture
def step(db: None) -> RuleStep:
    cache.clear()
    return StepFactory()


@pytest.fixture
def conversation(step: RuleStep) -> Conversation:
    return queued(step)


def addresses(
    patterns: list[URLPattern | URLResolver], before: str = "/"
) -> Iterator[tuple[str, str]]:
    """Yield an example of each address, with its name; a name in a namespace has its prefix."""
    for one in patterns:
        if not isinstance(one.pattern, RoutePattern):
            continue  # where static files are found in development
        path = before + str(one.pattern)
        for name, converter in one.pattern.converters.items():
            kind = type(converter).__name__
            written = next(
                text for text in (f"<{name}>", *_written(str(one.pattern), name)) if text in path
            )
            path = path.replace(written, str(SAMPLE.get(kind, "word")))
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, path)
        else:
            yield path, one.name or ""


def _written(route: str, name: str) -> Iterator[str]:
    """Yield how a route writes the part ``name``, with its converter."""
    for part in route.split("<")[1:]:
        inside = part.split(">")[0]
        if inside.endswith(f":{name}"):
            yield f"<{inside}>"


EVERY = [
    (path, name)
    for path, name in addresses(get_resolver().url_patterns)
    if not path.startswith(VISITORS)
]


def test_every_address_is_tested() -> None:
    assert len(EVERY) > 200
    assert permitted() - {name for _path, name in EVERY} == set()
    assert {"/desk/c/1/close/", "/admin/accounts/user/word/change/"} <= {path for path, _ in EVERY}


@pytest.mark.parametrize("role", ROLES)
def test_read_only_roles_change_nothing_but_their_own_data(
    role: Role, conversation: Conversation
) -> None:
    client = Client()
    log_in_freshly(client, user_of(role))
    before = world.state()
    for path, name in EVERY:
        if name in permitted() and not path.startswith("/admin/"):
            continue
        for method in ("post", "put", "patch", "delete"):
            response = getattr(client, method)(path)
            assert response.status_code == 403, (method, path)
    assert world.state() == before


@pytest.mark.parametrize("role", ROLES)
def test_a_token_of_theirs_changes_nothing(role: Role, conversation: Conversation) -> None:
    client = with_token(user_of(role))
    path = f"/api/v1/conversations/{conversation.pk}/messages/"
    response = client.post(path, {"body": "Hello"}, "application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (403, "reads_only")


@pytest.mark.parametrize("role", ROLES)
def test_every_page_opens_or_is_refused(role: Role) -> None:
    client = Client()
    log_in_freshly(client, user_of(role))
    for path, _name in EVERY:
        if path != "/logout/":
            response = client.get(path)
            assert response.status_code in REFUSED | {200, 204, 302}, path
    assert client.get("/reports/production/").status_code == 200


def test_an_auditor_reads_every_list_of_the_settings() -> None:
    client = Client()
    client.force_login(user_of(Role.AUDITOR))
    for model in admin.site._registry:
        meta = model._meta
        path = f"/admin/{meta.app_label}/{meta.model_name}/"
        assert client.get(path).status_code == 200, path
        assert client.get(f"{path}add/").status_code == 403, path


def test_an_auditor_reads_every_conversation_and_a_reviewer_that_of_their_groups(
    step: RuleStep, conversation: Conversation
) -> None:
    foreign = queued(StepFactory())
    auditor, reviewer = user_of(Role.AUDITOR), user_of(Role.REVIEWER)
    step.group.managers.add(reviewer)
    visible = Conversation.objects.order_by("pk").visible_to
    assert [*visible(auditor)] == [conversation, foreign]
    assert [*visible(reviewer)] == [conversation]
    assert supervision.of(auditor).everything
    assert not supervision.of(reviewer).everything
    client = Client()
    client.force_login(reviewer)
    assert client.get(f"/desk/c/{conversation.pk}/").status_code == 200
    assert client.get(f"/desk/c/{foreign.pk}/").status_code == 404


def test_neither_takes_conversations_and_what_they_had_goes_back(step: RuleStep) -> None:
    agent: Agent = AgentFactory()
    step.group.members.add(agent)
    AgentChannel.objects.filter(agent=agent).update(slots=4, is_available=True)
    held = on_desk(step, agent)
    assert ownership.bar_of(held, agent.pk) is None
    User.objects.filter(pk=agent.user.pk).update(role=Role.REVIEWER)
    assert ownership.bar_of(held, agent.pk) is Bar.READS_ONLY
    assert [finding.check for finding in invariants.entitlement(at=NOW)] == ["entitled"]
    assert list(ownership.barred_of(agent.pk)) == [held.pk]
    assert queries.agent_of(User.objects.get(pk=agent.user.pk)) is None
    reclaiming.reclaim(agent_id=agent.pk)
    held.refresh_from_db()
    assert (held.status, held.agent) == (Status.QUEUED, None)


def test_a_superuser_is_never_confined_by_the_role() -> None:
    user = UserFactory(role=Role.AUDITOR, is_superuser=True)
    assert (user.reads_only, user.steers, user.administers) == (False, True, True)
    standing = entitlement.Standing(administers=True, reads_only=user.reads_only)
    assert entitlement.bar(standing, 1) is None


def test_a_group_may_name_reviewers(client: Client) -> None:
    reviewer, agent = user_of(Role.REVIEWER), user_of(Role.AGENT)
    group: Group = GroupFactory()
    client.force_login(UserFactory(role=Role.ADMIN, is_staff=True))
    page = client.get(f"/admin/accounts/group/{group.pk}/change/").content.decode()
    choice = page.partition('name="managers"')[2].partition("</select>")[0]
    assert f'value="{reviewer.pk}"' in choice
    assert f'value="{agent.pk}"' not in choice
