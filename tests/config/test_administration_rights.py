"""The administration, by every role: each list, filter, action, form and history shows and changes
only what the user oversees (N1, N2, C39)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.http import HttpResponse
from django.test import Client
from django.urls import URLResolver
from django.urls.resolvers import RegexPattern

from accounts.models import Agent, Group, Holiday, Role, User, Website
from conversations.models import (
    Article,
    Block,
    CobrowsingEnd,
    CobrowsingSession,
    Inbox,
    LookEnd,
    MirrorLook,
    Tag,
    Webhook,
)
from conversations.webhooks import verbs as webhooks
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    ArticleFactory,
    GroupFactory,
    RuleFactory,
    StepFactory,
    TagFactory,
    UserFactory,
    VisitorFactory,
    WebsiteFactory,
    queued,
)
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db

# The pages of managers; all others are the administrators' own.
OVERSEEN: tuple[type[models.Model], ...] = (
    *(Agent, Group, Holiday, Block),
    *(MirrorLook, CobrowsingSession, Article, Tag),
)

# A word for each thing: two websites, of which the first has two groups. None is so short that it
# could be part of a random token, and none is part of an alias: those are animals.
FIRST, ONE, OTHER, SECOND, FOREIGN = "Agate", "Garnet", "Jasper", "Zircon", "Peridot"
WITHOUT_GROUP = "Tourmaline"  # a block whose conversation is gone
AGENTS = {ONE: "Beryl", OTHER: "Spinel", FOREIGN: "Citrine"}
WORDS = {FIRST, ONE, OTHER, SECOND, FOREIGN, WITHOUT_GROUP, *AGENTS.values()}

# What each manager may come across on any page: managers add the agents of their websites (C39).
READABLE = {
    "of_one": {FIRST, ONE, "Beryl", "Spinel"},
    "of_first": {FIRST, ONE, OTHER, WITHOUT_GROUP, "Beryl", "Spinel"},
    "of_second": {SECOND, FOREIGN, "Citrine"},
    "administrator": WORDS,
}
# The rows that each list has, by the words in them.
ROWS: dict[type[models.Model], dict[str, set[str]]] = {
    Agent: {"of_one": {"Beryl"}, "of_first": {"Beryl", "Spinel"}, "of_second": {"Citrine"}},
    Group: {"of_one": {ONE}, "of_first": {ONE, OTHER}, "of_second": {FOREIGN}},
    Holiday: {
        "of_one": {FIRST, ONE},
        "of_first": {FIRST, ONE, OTHER},
        "of_second": {SECOND, FOREIGN},
    },
    Block: {
        "of_one": {ONE},
        "of_first": {ONE, OTHER, WITHOUT_GROUP},
        "of_second": {FOREIGN},
    },
    MirrorLook: {
        "of_one": {ONE},
        "of_first": {ONE, OTHER},
        "of_second": {FOREIGN},
    },
    CobrowsingSession: {
        "of_one": {ONE},
        "of_first": {ONE, OTHER},
        "of_second": {FOREIGN},
    },
    Article: {"of_one": {FIRST}, "of_first": {FIRST}, "of_second": {SECOND}},
    Tag: {"of_one": {FIRST}, "of_first": {FIRST}, "of_second": {SECOND}},
}
MANAGERS = ("of_one", "of_first", "of_second")
NOBODY = ("agent", "expert", "anonymous")


@dataclass
class World:
    """The rows by their words, and a browser for each user."""

    rows: dict[type[models.Model], dict[str, Any]]
    clients: dict[str, Client]
    website: Website


def _block(word: str, website: Website, group: Group | None) -> Block:
    visitor = VisitorFactory(website=website)
    step = StepFactory(rule=RuleFactory(website=website), group=group) if group else None
    return Block.objects.create(
        website=website,
        visitor=visitor,
        conversation=queued(step, visitor=visitor) if step else None,
        reason=word,
        blocked_at=NOW,
    )


def _look(word: str, group: Group, agent: Agent) -> MirrorLook:
    """A look at the page of a visitor who is called ``word``."""
    visitor = VisitorFactory(website=group.website, name=word)
    step = StepFactory(rule=RuleFactory(website=group.website), group=group)
    return MirrorLook.objects.create(
        conversation=queued(step, visitor=visitor),
        agent=agent,
        place=1,
        began_at=NOW,
        heard_at=NOW,
        ended_at=NOW + timedelta(minutes=3),
        end=LookEnd.LEFT,
    )


def _session(look: MirrorLook) -> CobrowsingSession:
    return CobrowsingSession.objects.create(
        look=look,
        conversation=look.conversation,
        agent=look.agent,
        allowed=["point"],
        asked_at=NOW,
        ended_at=NOW + timedelta(minutes=1),
        end=CobrowsingEnd.DECLINED,
    )


@pytest.fixture
def world() -> World:
    first, second = WebsiteFactory(name=FIRST), WebsiteFactory(name=SECOND)
    sites = {ONE: first, OTHER: first, FOREIGN: second}
    groups = {word: GroupFactory(name=word, website=site) for word, site in sites.items()}
    agents = {name: AgentFactory(display_name=name) for name in AGENTS.values()}
    for word, group in groups.items():
        group.members.add(agents[AGENTS[word]])
    days = {site.name: Holiday(website=site, name=site.name) for site in (first, second)}
    days |= {
        word: Holiday(website=group.website, group=group, name=word)
        for word, group in groups.items()
    }
    for number, day in enumerate(days.values()):
        day.date = NOW.date() + timedelta(days=number)
        day.save()
    blocks = {word: _block(word, group.website, group) for word, group in groups.items()}
    blocks[WITHOUT_GROUP] = _block(WITHOUT_GROUP, first, None)
    looks = {word: _look(word, group, agents[AGENTS[word]]) for word, group in groups.items()}
    for site in (first, second):
        hook = Webhook(website=site, name=site.name, url="https://example.com/", events=["push"])
        webhooks.create(hook, at=NOW)
        # Lists can be filtered by inbox as soon as there are two.
        rule = RuleFactory(website=site)
        Inbox.objects.create(website=site, name=site.name, rule=rule, created_at=NOW)
    users = {role: UserFactory(role=role) for role in ("agent", "expert")}
    users["administrator"] = UserFactory(role=Role.ADMIN)
    for name, words in {"of_one": [ONE], "of_first": [ONE, OTHER], "of_second": [FOREIGN]}.items():
        users[name] = UserFactory(role=Role.MANAGER)
        users[name].managed_groups.set([groups[word] for word in words])
    clients = {"anonymous": Client()}
    for name, user in users.items():
        clients[name] = Client(raise_request_exception=False)
        log_in_freshly(clients[name], user)
    rows: Any = {Agent: agents, Group: groups, Holiday: days, Block: blocks, MirrorLook: looks}
    rows[Article] = {
        site.name: ArticleFactory(name=site.name, website=site) for site in (first, second)
    }
    rows[Tag] = {site.name: TagFactory(name=site.name, website=site) for site in (first, second)}
    rows[CobrowsingSession] = {word: _session(look) for word, look in looks.items()}
    return World(rows, clients, first)


def words_of(answer: HttpResponse) -> set[str]:
    text = answer.content.decode()
    return {word for word in WORDS if word in text}


def base_of(model: type[models.Model]) -> str:
    return f"/admin/{model._meta.label_lower.replace('.', '/')}/"


def addresses(world: World) -> Iterator[tuple[str, Any]]:
    """Yield every address of the administration, with its model and the word of the row that it
    names, if it is one of ours."""
    stack: list[tuple[str, Any]] = [("", one) for one in admin.site.get_urls()]
    models_of = {base_of(model): model for model in admin.site._registry}
    while stack:
        before, one = stack.pop()
        if isinstance(one.pattern, RegexPattern):
            continue  # the list of an app's models, and what Django does not know
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            stack += [(route, deeper) for deeper in one.url_patterns]
            continue
        model = next(
            (models_of[base] for base in models_of if f"/admin/{route}".startswith(base)), None
        )
        own = world.rows.get(model) if model else None
        if own is None or "<" not in route:
            yield "/admin/" + re.sub(r"<[^>]+>", str(world.website.pk), route), (model, None)
            continue
        for word, row in own.items():
            yield "/admin/" + re.sub(r"<[^>]+>", str(row.pk), route), (model, word)


OPEN = {"/admin/login/", "/admin/logout/"}


@pytest.mark.parametrize("role", NOBODY)
def test_agents_and_strangers_open_no_address(role: str, world: World) -> None:
    client = world.clients[role]
    tried = [address for address, _row in addresses(world) if address not in OPEN]
    for address in tried:
        for answer in (client.get(address), client.post(address, {"action": "lift"})):
            assert answer.status_code == 302, address
            assert answer["Location"].startswith("/admin/login/"), address
    assert len(tried) > 150


@pytest.mark.parametrize("role", MANAGERS)
def test_addresses_show_managers_only_what_they_oversee(role: str, world: World) -> None:
    client = world.clients[role]
    opened = 0
    for address, (model, word) in addresses(world):
        answer = client.get(address, follow=True)
        assert words_of(answer) <= READABLE[role], address
        if model and model not in OVERSEEN:
            assert answer.status_code == 403, address
        elif word is not None and word not in ROWS[model][role]:
            assert not answer.redirect_chain or "change" not in answer.redirect_chain[-1][0]
            assert "adminform" not in (answer.context or {}), address
        else:
            opened += answer.status_code == 200
    assert opened > 10


@pytest.mark.parametrize("role", [*MANAGERS, "administrator"])
@pytest.mark.parametrize("model", OVERSEEN)
def test_lists_have_the_rows_that_the_user_oversees(
    model: type[models.Model], role: str, world: World
) -> None:
    listed = list_of(world.clients[role], model)
    rows = world.rows[model]
    expected = ROWS[model].get(role, set(rows))
    assert {row.pk for row in listed.result_list} == {rows[word].pk for word in expected}
    for word, row in rows.items():  # nor does a search find another
        searched = list_of(world.clients[role], model, q=word)
        assert (row in searched.result_list) == (word in expected)


def list_of(client: Client, model: type[models.Model], **parameters: str) -> Any:
    answer = client.get(base_of(model), parameters)
    assert answer.status_code == 200
    return answer.context["cl"]


@pytest.mark.parametrize("role", MANAGERS)
@pytest.mark.parametrize("model", OVERSEEN)
def test_filters_name_only_what_the_user_oversees(
    model: type[models.Model], role: str, world: World
) -> None:
    client = world.clients[role]
    listed = list_of(client, model)
    for spec in listed.filter_specs:
        for choice in spec.choices(listed):
            named = {word for word in WORDS if word in str(choice["display"])}
            assert named <= READABLE[role], spec.title
            answer = client.get(base_of(model) + choice["query_string"])
            assert words_of(answer) <= READABLE[role]


def test_a_filter_of_websites_offers_several_to_a_manager_of_several(world: World) -> None:
    manager = User.objects.get(managed_groups=world.rows[Group][FOREIGN])
    manager.managed_groups.add(world.rows[Group][ONE])
    for model in (Group, Holiday, Block):
        [spec] = [
            one
            for one in list_of(world.clients["of_second"], model).filter_specs
            if one.title == "website"
        ]
        assert {name for _pk, name in spec.lookup_choices} == {FIRST, SECOND}


# What could be asked of a column that no filter offers: whether it begins with a letter.
QUESTIONS = ("__startswith", "__gt", "__in", "__isnull", "__id", "__pk__in", "__website", "")


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model.__name__)
def test_lists_answer_no_undeclared_lookup(model: type[models.Model], world: World) -> None:
    offered = {
        parameter
        for spec in list_of(world.clients["administrator"], model).filter_specs
        for parameter in spec.expected_parameters()
    }
    roles = ("administrator", "of_one") if model in OVERSEEN else ("administrator",)
    columns = [field.name for field in model._meta.get_fields() if not field.auto_created]
    for role, column, question in product(roles, [*columns, "id"], QUESTIONS):
        if (name := column + question) in offered:
            continue
        answer = world.clients[role].get(base_of(model), {name: "1"})
        assert answer.status_code == 400, name


def test_no_field_is_searched_by_completion(world: World) -> None:
    for model in OVERSEEN:
        for field in model._meta.get_fields():
            parameters = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": field.name,
            }
            for role in ("of_first", "administrator"):
                answer = world.clients[role].get("/admin/autocomplete/", parameters)
                assert answer.status_code == 404, field


@pytest.mark.parametrize("role", [*NOBODY, *MANAGERS])
def test_actions_and_forms_change_only_rows_that_the_user_oversees(role: str, world: World) -> None:
    client = world.clients[role]
    for model, its_admin in admin.site._registry.items():
        own = ROWS[model].get(role, set()) if model in OVERSEEN else set()
        others = {word: row for word, row in world.rows.get(model, {}).items() if word not in own}
        before = {word: values_of(row) for word, row in others.items()}
        for action in (*map(str, its_admin.actions or ()), "delete_selected"):
            form = {"action": action, "_selected_action": pks(others), "post": "yes"}
            answer = client.post(base_of(model), form | {"confirmed": "yes"})
            assert answer.status_code in ({302} if role in NOBODY else {200, 302, 403})
        for row in others.values():
            for page in ("change", "delete"):
                client.post(f"{base_of(model)}{row.pk}/{page}/", {"post": "yes", "name": "forged"})
        assert {word: values_of(row) for word, row in others.items()} == before


def test_a_manager_lifts_only_blocks_of_their_groups(world: World) -> None:
    blocks = world.rows[Block]
    form = {"action": "lift", "_selected_action": pks(blocks)}
    assert world.clients["of_one"].post(base_of(Block), form).status_code == 302
    assert [word for word, row in blocks.items() if values_of(row)["lifted_at"]] == [ONE]


def pks(rows: dict[str, Any]) -> list[int]:
    return [row.pk for row in rows.values()]


def values_of(row: models.Model) -> dict[str, Any]:
    return type(row)._base_manager.filter(pk=row.pk).values().get()
