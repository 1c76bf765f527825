"""The engines are asked before anything is started on them."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from config.engine_checks import problems


def test_both_answer() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("setting", "address", "named"),
    [
        ("DATABASE_URL", "postgresql://postgres@127.0.0.1:1/causerie", "PostgreSQL"),
        ("REDIS_URL", "redis://127.0.0.1:1", "Valkey"),
    ],
)
def test_the_one_that_does_not_is_named(
    settings: Settings, setting: str, address: str, named: str
) -> None:
    setattr(settings, setting, address)
    [problem] = problems()
    assert problem.startswith(f"{named} does not answer: ")
    assert "\n" not in problem
