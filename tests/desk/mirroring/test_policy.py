"""The frame of a visitor's page: a policy of its own, for those who see the conversation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import Agent, User, Website
from conversations.models import Conversation
from desk.mirroring.policy import policy_of
from routing.models import RuleStep
from tests.factories import AgentFactory, on_desk

Browser = Callable[[User], Client]


def directives(policy: str) -> dict[str, list[str]]:
    parts = [part.split() for part in policy.split("; ")]
    return {name: sources for name, *sources in parts}


def test_the_policy_names_scripts_one_by_one_and_pictures_by_host() -> None:
    policy = directives(
        policy_of(
            scripts=["https://desk/a.js"], styles=["https://desk/a.css"], pictures=["https://shop"]
        )
    )
    assert policy == {
        "default-src": ["'none'"],
        "script-src": ["https://desk/a.js"],
        "style-src": ["'unsafe-inline'", "https://desk/a.css", "https://shop"],
        "img-src": ["data:", "https://shop"],
        "font-src": ["data:", "https://shop"],
        "connect-src": ["'none'"],
        "form-action": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'self'"],
    }


@pytest.fixture
def conversation(step: RuleStep, agent: Agent) -> Conversation:
    website = step.rule.website
    website.domains = ["www.example.com", "localhost:8000", "[::1]"]
    website.mirror_sources = ["cdn.example.net"]
    website.save()
    return on_desk(step, agent)


@pytest.mark.django_db
def test_pictures_come_from_the_website_and_from_nowhere_else(
    browser: Browser, agent: Agent, conversation: Conversation
) -> None:
    response = browser(agent.user).get(f"/desk/c/{conversation.pk}/mirror/")
    policy = directives(response["Content-Security-Policy"])
    hosts = ["www.example.com:*", "localhost:8000", "cdn.example.net:*"]
    assert policy["img-src"] == ["data:", *(f"{s}://{h}" for h in hosts for s in ("https", "http"))]
    assert policy["script-src"] == [
        f"http://testserver/static/{name}"
        for name in (
            "vendor/rrweb/replay.js",
            "mirror/replay.js",
            "mirror/outgoing.js",
            "mirror/targets.js",
        )
    ]
    assert "'unsafe-inline'" not in policy["script-src"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert b"<script>" not in response.content


@pytest.mark.django_db
def test_the_frame_is_there_only_for_those_who_see_the_conversation(
    browser: Browser, conversation: Conversation
) -> None:
    stranger = AgentFactory()
    assert browser(stranger.user).get(f"/desk/c/{conversation.pk}/mirror/").status_code == 404


# The last ones would swallow the line below them.
@pytest.mark.parametrize(
    "text",
    [
        "a { color: red }",
        "a, b; c",
        "<script>",
        "@import x",
        "x" * 201,
        "a /*",
        "a\\",
        "a\\ ",
        "[title='x",
        '[title="x\\"]',
        ":is(a",
        ":is(a]",
    ],
)
def test_a_line_that_is_no_selector_is_refused(text: str) -> None:
    website = Website(name="x", key="x", mirror_hides=f".invoice\n{text}")
    with pytest.raises(ValidationError) as refusal:
        website.clean_fields(exclude=["domains"])
    assert set(refusal.value.message_dict) == {"mirror_hides"}


def test_selectors_are_one_on_each_line() -> None:
    website = Website(mirror_hides=" .invoice \r\n\n#address, p > b")
    website.clean_fields(exclude=["name", "domains"])
    assert website.hidden_selectors == [".invoice", "#address, p > b"]


@pytest.mark.parametrize(
    "text", [".md\\:flex", ".w-1\\/2 > p", "#\\31 0", "[title='a)b']", ":not(:is(a, [b='\\'']))"]
)
def test_selectors_may_escape_quote_and_nest(text: str) -> None:
    Website(mirror_hides=text).clean_fields(exclude=["name", "domains"])
