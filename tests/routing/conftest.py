"""What the tests of routing share: the wires that do work, without those that only show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clock import clock  # noqa: F401 - a fixture


@pytest.fixture
def durable_wires() -> Iterator[None]:
    """Only the reactions that are owed: thousands of verbs need not be shown on any screen."""
    from config import wiring
    from core.events import bus

    shown = {fact: list(reactions) for fact, reactions in bus._live.items()}
    bus._live.clear()
    yield
    bus._live.update(shown)
    assert shown, wiring.__doc__
