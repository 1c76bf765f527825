"""The one moment at which tests happen, and a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

NOW = datetime(2035, 3, 5, 9, 0, tzinfo=UTC)
"""A Monday, in the future of the database's own clock, which no test moves."""


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller
