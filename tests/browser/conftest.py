"""One running product and one browser for all browser tests; each test begins with a quiet day."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    WebError,
    expect,
    sync_playwright,
)

from tests.browser.people import Agent, Visitor
from tests.browser.product import Product

PATIENCE_MS = 45_000  # for a busy machine; a quiet one needs a fraction of it
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    # A tone and a moving picture instead of a microphone and a camera, and nobody is asked.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
# What the page's policy forbids is told to the console, where every test looks.
TELL_VIOLATIONS = """
  document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`CSP: ${event.violatedDirective} forbids ${event.blockedURI}` +
      ` (${event.sourceFile}:${event.lineNumber})`));
"""
# First what takes longest, or one process waits at the end for another.
LONG = [
    "reports_history",
    "lines",
    "embedding",
    "reports_whole",
    "disconnects",
    "desk_fresh",
    "setup",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {f"test_{name}": rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(LONG)))


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product, served for the whole session and stopped by Ctrl-C at its end."""
    running = Product(tmp_path_factory.mktemp("product") / "var")
    try:
        running.start()
        yield running
    finally:
        code = running.stop()
    assert code == 0, running.log_tail()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()


class Crowd:
    """Makes people, each in a browser of their own, and hears every complaint of their pages."""

    def __init__(self, browser: Browser, product: Product) -> None:
        self.browser = browser
        self.product = product
        self.contexts: list[BrowserContext] = []
        self.agents: list[Agent] = []
        self.complaints: list[str] = []
        self.expected: list[str] = []

    def context(self, **options: Any) -> BrowserContext:
        options = {
            "locale": "en-GB",
            "timezone_id": "Europe/Paris",
            "viewport": {"width": 1280, "height": 800},
            "reduced_motion": "reduce",
            **options,
        }
        created = self.browser.new_context(**options)
        created.set_default_timeout(PATIENCE_MS)
        created.add_init_script(TELL_VIOLATIONS)
        created.on("console", self._hear)
        created.on("weberror", self._hear_error)
        self.contexts.append(created)
        return created

    def visitor(self, **options: Any) -> Visitor:
        return Visitor(self.context(**options), self.product.url)

    def agent(self, name: str = "alice", **options: Any) -> Agent:
        """With the cookies of the last test that logged in by this name, if they are still good."""
        agent = Agent(self.context(**options), self.product.url, name)
        agent.context.add_cookies(self.product.sessions.get(name, []))
        self.agents.append(agent)
        return agent

    def expect_complaint(self, pattern: str) -> None:
        """A complaint that this test provokes, as a regular expression."""
        self.expected.append(pattern)

    def unexpected(self) -> list[str]:
        return [
            complaint
            for complaint in self.complaints
            if not any(re.search(pattern, complaint) for pattern in self.expected)
        ]

    def leave(self) -> None:
        for agent in self.agents:
            self.product.sessions[agent.name] = agent.context.cookies()
        for context in self.contexts:
            for page in context.pages:
                # What a test holds back would otherwise fail in its handler once the page is gone.
                page.unroute_all(behavior="ignoreErrors")
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def _hear_error(self, error: WebError) -> None:
        self.complaints.append(f"uncaught: {error.error}")


@pytest.fixture
def crowd(browser: Browser, product: Product, request: pytest.FixtureRequest) -> Iterator[Crowd]:
    """People with browsers. After the test their pages must have had nothing to complain of."""
    product.forget()
    people = Crowd(browser, product)
    failed_before = request.session.testsfailed
    yield people
    if request.session.testsfailed > failed_before:
        _photograph(people, request.node.name)
    people.leave()
    assert people.unexpected() == []


def _photograph(crowd: Crowd, name: str) -> None:
    folder = crowd.product.var.parent / "failures"
    folder.mkdir(exist_ok=True)
    for number, context in enumerate(crowd.contexts):
        for index, page in enumerate(context.pages):
            page.screenshot(path=folder / f"{name}-{number}-{index}.png")
    print(f"\nwhat they saw is in {folder}; the product said:\n{crowd.product.log_tail()}")  # noqa: T201


@pytest.fixture
def visitor(crowd: Crowd) -> Visitor:
    return crowd.visitor()


@pytest.fixture
def alice(crowd: Crowd) -> Agent:
    return crowd.agent("alice")
