"""A website with a queue, and browsers that talk to its Messenger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.http import HttpResponse
from django.test import Client

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from accounts.models import Website
    from conversations.models import Conversation
    from routing.models import RuleStep
    from tests.messenger.mailing import Lmtp


@pytest.fixture
def website(db: None) -> Website:
    from tests.factories import WebsiteFactory

    return WebsiteFactory(
        key="celeste",
        name="Maison Céleste",
        domains=["www.example.com", "*.shop.example.com", "localhost:8000"],
    )


@pytest.fixture
def step(website: Website) -> RuleStep:
    """The website's queue, with one place."""
    from tests.factories import RuleFactory, StepFactory

    return StepFactory(rule=RuleFactory(website=website), places=1)


class Browser:
    """A visitor's browser, by what it sends; it stores the token as the iframe does."""

    def __init__(self, website: Website, token: str = "") -> None:
        self.base = f"/messenger/{website.key}/"
        self.token = token
        self.client = Client()

    def get(self, path: str = "", **headers: str) -> HttpResponse:
        return self.client.get(self.base + path, headers=self._headers(headers))

    def post(self, path: str, data: Any, **headers: str) -> HttpResponse:
        body = data if isinstance(data, str) else json.dumps(data)
        return self.client.post(
            self.base + path,
            body,
            content_type="application/json",
            headers=self._headers(headers),
        )

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return named | ({"Authorization": f"Bearer {self.token}"} if self.token else {})


@pytest.fixture
def browser(website: Website) -> Browser:
    return Browser(website)


@pytest.fixture
def talk(db: None) -> Conversation:
    """A conversation whose visitor left an address."""
    from tests.messenger.letters import begin

    return begin()


@pytest.fixture
def lmtp_server(transactional_db: None) -> Iterator[Lmtp]:
    """The product's own LMTP entry point, listening in a thread."""
    from tests.messenger.letters import serve_lmtp

    yield from serve_lmtp()


@pytest.fixture
def webhooks(settings: Any) -> Iterator[None]:
    """The providers' addresses exist only if their secret is set at the start."""
    from django.urls import clear_url_caches, include, path

    import config.urls

    settings.ANYMAIL = {"WEBHOOK_SECRET": "user:password"}
    before = list(config.urls.urlpatterns)
    config.urls.urlpatterns.insert(0, path("mail/in/", include("anymail.urls")))
    clear_url_caches()
    yield
    config.urls.urlpatterns[:] = before
    clear_url_caches()
