"""The benchmark's figures from its measurements."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bench import figures

PLAYED: dict[str, Any] = {
    "seconds": 10.0,
    "watched_seconds": 11.0,
    "began": 100.0,
    "ended": 110.0,
    "sent": 4,
    "accepted": 4,
    "pushes": [0.001, 0.002, 0.003, 0.020],
    "posts": [0.001, 0.002, 0.003, 0.004],
    "heard_ats": [101.0, 102.0, 109.0, 110.5],
    "lost": 0,
    "lost_on_socket": 0,
    "lost_echoes": 0,
    "doubled": 0,
    "out_of_order": 0,
    "cpu_seconds": {"web 1": 0.012, "postgres": 0.004},
    "load_cpu_seconds": 0.011,
    "other_cores": 0.5,
    "stolen_cores": 0.0,
}


def report(**changes: Any) -> dict[str, Any]:
    phases = {"open": figures.summary(PLAYED | changes)}
    return {"phases": phases, "stored_wrong": 0, "cut_sockets": 0}


def missed(summary: dict[str, Any]) -> list[str]:
    return [target.name for target in figures.targets(summary) if not target.is_met]


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.25, 1.0), (0.26, 2.0), (0.5, 2.0), (0.99, 4.0), (1.0, 4.0)]
)
def test_a_percentile_is_the_nearest_rank(share: float, value: float) -> None:
    assert figures.percentile([4.0, 3.0, 2.0, 1.0], share) == value


def test_an_empty_list_has_no_percentile() -> None:
    assert math.isnan(figures.percentile([], 0.5))


def test_the_rate_counts_only_arrivals_within_the_phase() -> None:
    assert figures.summary(PLAYED)["a_second"] == 0.3


def test_cpu_is_reported_per_message_and_part() -> None:
    phase = figures.summary(PLAYED)
    assert phase["cpu_ms_each_by_part"] == {"web 1": 3.0, "postgres": 1.0}
    assert phase["cpu_ms_each"] == 4.0


def test_a_good_run_meets_all_targets() -> None:
    assert missed(report()) == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"pushes": [0.026] * 4}, "open: p50 of send to screen <= 25 ms"),
        ({"pushes": [0.001] * 3 + [0.076]}, "open: p99 of send to screen <= 75 ms"),
        ({"lost": 1}, "open: none refused, lost, doubled"),
        ({"lost_on_socket": 1}, "open: none refused, lost, doubled"),
        ({"doubled": 1}, "open: none refused, lost, doubled"),
        ({"sent": 5}, "open: none refused, lost, doubled"),
        ({"cpu_seconds": {"web 1": 0.025}}, "open: server CPU a message <= 6 ms"),
    ],
)
def test_each_target_can_be_missed(changes: dict[str, Any], name: str) -> None:
    assert missed(report(**changes)) == [name]


def test_an_empty_phase_misses_its_targets() -> None:
    missed_targets = missed(report(accepted=0, pushes=[], posts=[], heard_ats=[]))
    assert "open: p50 of send to screen <= 25 ms" in missed_targets
    assert "open: none refused, lost, doubled" in missed_targets
