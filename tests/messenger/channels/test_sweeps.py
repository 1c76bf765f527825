"""A sweep goes on after a failure, and ends in time."""

from __future__ import annotations

import logging

import pytest

from messenger.channels import sweeps


def test_one_that_fails_is_logged_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    done = []

    def act(one: int) -> None:
        if one == 2:
            raise RuntimeError("broken")
        done.append(one)

    with caplog.at_level(logging.ERROR):
        assert sweeps.sweep([1, 2, 3], act, failure="could not do %s") == 3
    assert done == [1, 3]
    assert caplog.messages == ["could not do 2"]


def test_what_takes_too_long_is_left_for_the_next_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "RUN_SECONDS", -1)
    done: list[int] = []
    assert sweeps.sweep([1, 2], done.append, failure="%s") == 0
    assert done == []
