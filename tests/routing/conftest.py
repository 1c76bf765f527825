"""Fixtures for the tests of routing: the durable reactions, without those that update screens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clock import clock  # noqa: F401 - a fixture


@pytest.fixture
def durable_wires() -> Iterator[None]:
    """Wire only durable reactions: thousands of verbs need not be shown on any screen."""
    from config import wiring
    from core.events import bus

    shown = {fact: list(reactions) for fact, reactions in bus._live.items()}
    bus._live.clear()
    yield
    bus._live.update(shown)
    assert shown, wiring.__doc__
