"""Two websites with one row of each kind, and what each address of the API is sent."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Agent, Holiday, User
from conversations.canned import library
from conversations.messages import sending
from conversations.models import Author, CannedReply, Conversation, Person, Webhook
from conversations.visitors import blocks
from conversations.webhooks import verbs as webhooks
from reporting.models import Export, ExportState
from routing.models import RuleStep, TargetingRule
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    ArticleFactory,
    SkillFactory,
    StepFactory,
    TagFactory,
    UserFactory,
    VisitorFactory,
    on_desk,
)

METHODS = ("get", "post", "put", "patch", "delete")
UNCOMPARED = {"accounts_apitoken", "django_session", "accounts_change"}


@dataclass
class Side:
    """One website: its rows by the name of the address's parameter, and the words in them."""

    word: str
    step: RuleStep
    agent: Agent
    talk: Conversation
    rows: dict[str, Any] = field(default_factory=dict)

    @property
    def website(self) -> Any:
        return self.step.rule.website


def side(word: str) -> Side:
    """Return a website whose every name contains ``word``."""
    step = StepFactory(
        rule__website__name=word,
        rule__website__key=word.lower(),
        rule__name=f"{word} rule",
        group__name=f"{word} group",
        places=5,
    )
    agent = AgentFactory(display_name=f"{word} agent", user__username=f"{word.lower()}-agent")
    step.group.members.add(agent)
    visitor = VisitorFactory(website=step.rule.website, name=f"{word} visitor")
    talk = on_desk(step, agent, visitor=visitor)
    sending.add(talk.pk, author=Author.VISITOR, body=f"{word} says", client_id=uuid.uuid4(), at=NOW)
    export = Export.objects.create(
        user=agent.user,
        subject="conversations",
        kind="csv",
        about=f"{word} export",
        query=f"website={step.rule.website_id}",
        first=NOW.date(),
        last=NOW.date(),
        language="en",
        state=ExportState.WAITING,
        asked_at=NOW,
    )
    created = Side(word, step, agent, talk)
    webhook = Webhook(
        website=step.rule.website,
        name=f"{word} webhook",
        url="https://example.com/hook",
        events=["message.created"],
    )
    webhooks.create(webhook, at=NOW)
    created.rows = {"conversations": talk.pk, "exports": export.pk, "webhooks": webhook.pk}
    created.rows |= _people_of(created) | _settings_of(created)
    return created


def _people_of(one: Side) -> dict[str, Any]:
    person = Person.objects.create(
        website=one.website,
        external_id=f"{one.word} customer",
        name=f"{one.word} person",
        profile={"plan": f"{one.word} plan"},
        created_at=NOW,
    )
    visitor = VisitorFactory(website=one.website, name=f"{one.word} reader", person=person)
    admin = UserFactory(role="admin")
    block = blocks.block(one.talk, reason=f"{one.word} insults", until=None, by=admin, at=NOW)
    return {"persons": person.pk, "visitors": visitor.public_id, "blocks": block.pk}


def _settings_of(one: Side) -> dict[str, Any]:
    skill = SkillFactory(website=one.website, name=f"{one.word} skill")
    holiday = Holiday.objects.create(
        website=one.website, group=one.step.group, date=NOW.date(), name=f"{one.word} day"
    )
    targeting = TargetingRule.objects.get(website=one.website)
    targeting.name = f"{one.word} targeting"
    targeting.save()
    reply = library.save(CannedReply(group=one.step.group, name=f"{one.word} reply", body="x"))
    article = ArticleFactory(website=one.website, name=f"{one.word} article")
    return {
        "agents": one.agent.pk,
        "groups": one.step.group_id,
        "skills": skill.pk,
        "holidays": holiday.pk,
        "rules": one.step.rule_id,
        "targeting-rules": targeting.pk,
        "replies": reply.pk,
        "articles": article.pk,
        "tags": TagFactory(website=one.website, name=f"{one.word} tag").pk,
    }


def people(one: Side) -> dict[str, User]:
    """Return an account of each role on one website."""
    users = {role: UserFactory(role=role) for role in ("agent", "expert", "manager")}
    for role in ("agent", "expert"):
        one.step.group.members.add(AgentFactory(user=users[role]))
    one.step.group.managers.add(users["manager"])
    return users


@dataclass(frozen=True)
class Operation:
    """A method at an address of the schema."""

    method: str
    path: str

    @property
    def noun(self) -> str:
        return self.path.removeprefix("/api/v1/").partition("/")[0]

    @property
    def scope(self) -> str:
        """The noun of the permission that it needs."""
        if self.path.endswith(PERSONAL):
            return "personal-data"
        return SCOPES.get(self.noun, self.noun)

    @property
    def names_a_row(self) -> bool:
        return "{" in self.path and self.noun in ROWS

    def address(self, one: Side) -> str:
        """Return the address of a row of ``one``."""
        path = self.path.replace("{name}", "opened").replace("{kind}", "csv")
        path = path.replace("{delivery}", "1").replace("{report}", "agents")
        path = path.replace("{tag}", str(one.rows["tags"]))
        if self.names_a_row:
            path = re.sub(r"\{\w+\}", str(one.rows[ROWS[self.noun]]), path, count=1)
        return re.sub(r"\{\w+\}", str(uuid.uuid4()), path)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


ROWS = {
    name: name
    for name in (
        *("conversations", "exports", "webhooks", "persons", "visitors", "blocks", "agents"),
        *("groups", "skills", "holidays", "rules", "targeting-rules", "replies", "articles"),
        "tags",
    )
}
"""The rows that an address's first segment names, as in ``Side.rows``."""

SCOPES = {
    "tables": "figures",
    "charts": "figures",
    "persons": "visitors",
    "skills": "agents",
    "holidays": "groups",
    "targeting-rules": "targeting",
}
"""The nouns of scopes that are not the address's first segment."""

PERSONAL = ("/data/", "/erase/")

BY_SHOP_KEY = {"transactions"}
"""Addresses that only a shop system's key opens."""


def operations() -> Iterator[Operation]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    for path, item in sorted(schema["paths"].items()):
        for method in METHODS:
            if method in item:
                yield Operation(method, path)


def body_of(operation: Operation) -> dict[str, Any]:
    """Return a body that this operation would accept on one's own rows."""
    return BODIES.get((operation.method, operation.path), dict)()


CONVERSATION = "/api/v1/conversations/{number}"
BODIES: dict[tuple[str, str], Any] = {
    ("post", f"{CONVERSATION}/snooze/"): lambda: {"until": "2035-03-06T09:00:00Z"},
    ("post", f"{CONVERSATION}/tags/"): lambda: {"tags": [1]},
    ("post", "/api/v1/tags/{number}/merge/"): lambda: {"into": 1},
    ("post", f"{CONVERSATION}/notes/"): lambda: {"body": "x"},
    ("post", f"{CONVERSATION}/transfer/"): lambda: {"group": 1},
    ("post", "/api/v1/conversations/{number}/messages/"): lambda: {
        "id": str(uuid.uuid4()),
        "body": "x",
    },
    ("post", "/api/v1/webhooks/{number}/replay/"): lambda: {"since": "2035-03-01T09:00:00Z"},
    ("post", f"{CONVERSATION}/block/"): lambda: {"reason": "x"},
    ("post", "/api/v1/agents/{number}/availability/"): lambda: {
        "channel": "chat",
        "is_available": False,
    },
    ("put", "/api/v1/subscriptions/{report}/"): lambda: {"every": "week"},
    ("post", "/api/v1/exports/"): lambda: {"subject": "conversations", "kind": "csv"},
}


def state() -> dict[str, str]:
    """Return a digest of each table, to see what a request has changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        digests = {}
        for (table,) in cursor.fetchall():
            if table in UNCOMPARED:
                continue
            cursor.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t")
            digests[table] = cursor.fetchone()[0]
    return digests
