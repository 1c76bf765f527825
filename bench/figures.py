"""From measurements to figures: percentiles, the table, and which targets are met."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

P50_MS = 25.0
P99_MS = 75.0
CPU_MS = 6.0
A_SECOND = 200.0


@dataclass(frozen=True, slots=True)
class Target:
    """A promise, the measured value, and whether it is met."""

    name: str
    measured: str
    is_met: bool


def percentile(values: list[float], share: float) -> float:
    """Return the smallest value that ``share`` of all do not exceed (nearest rank); NaN without
    values."""
    if not values:
        return math.nan
    ranked = sorted(values)
    return ranked[max(math.ceil(share * len(ranked)) - 1, 0)]


def summary(phase: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of one phase: milliseconds, messages a second, CPU milliseconds per
    message."""
    received = [at for at in phase["heard_ats"] if phase["began"] <= at <= phase["ended"]]
    accepted = phase["accepted"]
    each = {
        part: 1000 * spent / accepted if accepted else math.nan
        for part, spent in phase["cpu_seconds"].items()
    }
    return {
        "seconds": round(phase["seconds"], 2),
        "sent": phase["sent"],
        "accepted": accepted,
        "refused": phase["sent"] - accepted,
        "a_second": round(len(received) / phase["seconds"], 1),
        "push_ms": _spread(phase["pushes"]),
        "post_ms": _spread(phase["posts"]),
        "lost": phase["lost"],
        "lost_on_socket": phase["lost_on_socket"],
        "lost_echoes": phase["lost_echoes"],
        "doubled": phase["doubled"],
        "out_of_order": phase["out_of_order"],
        "cpu_ms_each": _rounded(sum(each.values()) if each else math.nan),
        "cpu_ms_each_by_part": {part: _rounded(spent) for part, spent in each.items()},
        "cores_by_part": {
            part: round(spent / phase["watched_seconds"], 3)
            for part, spent in phase["cpu_seconds"].items()
        },
        "load_cores": round(phase["load_cpu_seconds"] / phase["watched_seconds"], 3),
        "other_cores": round(phase["other_cores"], 3),
        "stolen_cores": round(phase["stolen_cores"], 3),
    }


def _spread(seconds: list[float]) -> dict[str, float | None]:
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: _rounded(1000 * percentile(seconds, share)) for name, share in shares.items()}


def _rounded(value: float) -> float | None:
    """Round a figure; NaN becomes null, because JSON has no NaN."""
    return None if math.isnan(value) else round(value, 2)


def targets(report: dict[str, Any]) -> list[Target]:
    """Return the promises of the phases that were run."""
    judged: list[Target] = []
    phases = report["phases"]
    if "open" in phases:
        push = phases["open"]["push_ms"]
        judged.append(_at_most("open: p50 of send to screen", push["p50"], P50_MS, "ms"))
        judged.append(_at_most("open: p99 of send to screen", push["p99"], P99_MS, "ms"))
    for name in ("open", "closed"):
        if name in phases:
            phase = phases[name]
            missing = sum(phase[what] for what in ("refused", "lost", "lost_on_socket", "doubled"))
            judged.append(
                Target(f"{name}: none refused, lost, doubled", str(missing), missing == 0)
            )
            if phase["cpu_ms_each"] is not None:
                judged.append(
                    _at_most(f"{name}: server CPU a message", phase["cpu_ms_each"], CPU_MS, "ms")
                )
    if "closed" in phases:
        rate = phases["closed"]["a_second"]
        judged.append(Target(f"closed: {A_SECOND:g} a second", f"{rate:g}", rate >= A_SECOND))
    wrong = report["stored_wrong"]
    judged.append(Target("stored 1, 2, 3 ... each once", f"{wrong} wrong", wrong == 0))
    cut = report["cut_sockets"]
    judged.append(Target("sockets cut by the server", str(cut), cut == 0))
    return judged


def _at_most(name: str, measured: float | None, limit: float, unit: str) -> Target:
    is_met = measured is not None and measured <= limit
    return Target(f"{name} <= {limit:g} {unit}", f"{_text(measured)} {unit}", is_met)


def as_text(report: dict[str, Any]) -> str:
    """Return all figures as text for a terminal."""
    lines = [_machine_line(report)]
    played = {name: phase for name, phase in report["phases"].items() if phase["sent"]}
    lines.append("")
    lines.append(f"{'':22}" + "".join(f"{name:>12}" for name in played))
    for label, path in ROWS:
        cells = "".join(f"{_cell(phase, path):>12}" for phase in played.values())
        lines.append(f"{label:22}{cells}")
    parts = sorted({part for phase in report["phases"].values() for part in phase["cores_by_part"]})
    if parts:
        lines += [
            "",
            f"{'CPU ms a message':22}"
            + "".join(f"{name:>12}" for name in played)
            + f"{'idle, cores':>14}",
        ]
        idle = report["phases"].get("idle", {}).get("cores_by_part", {})
        for part in parts:
            cells = "".join(
                f"{_text(phase['cpu_ms_each_by_part'].get(part)):>12}" for phase in played.values()
            )
            lines.append(f"  {part:20}{cells}{_text(idle.get(part)):>14}")
        total = "".join(f"{_text(phase['cpu_ms_each']):>12}" for phase in played.values())
        lines.append(f"  {'all':20}{total}{_text(round(sum(idle.values()), 3)):>14}")
    memory = ", ".join(f"{part} {size:g}" for part, size in sorted(report["memory_mb"].items()))
    lines += ["", f"memory (MB): {memory}", ""]
    for target in targets(report):
        lines.append(f"{'met   ' if target.is_met else 'MISSED'}  {target.name}: {target.measured}")
    return "\n".join(lines)


ROWS = [
    ("messages", ("accepted",)),
    ("a second", ("a_second",)),
    ("send to screen, p50 ms", ("push_ms", "p50")),
    ("  p95", ("push_ms", "p95")),
    ("  p99", ("push_ms", "p99")),
    ("  max", ("push_ms", "max")),
    ("POST, p50 ms", ("post_ms", "p50")),
    ("  p99", ("post_ms", "p99")),
    ("refused", ("refused",)),
    ("lost", ("lost",)),
    ("lost on a socket", ("lost_on_socket",)),
    ("lost echoes", ("lost_echoes",)),
    ("doubled", ("doubled",)),
    ("out of order", ("out_of_order",)),
    ("load process, cores", ("load_cores",)),
    ("other work, cores", ("other_cores",)),
    ("stolen by host, cores", ("stolen_cores",)),
]


def _machine_line(report: dict[str, Any]) -> str:
    machine = report["machine"]
    return (
        f"{machine['cores']} cores ({machine['model']}), load {machine['load_average']:.2f}; "
        f"{report['web_processes']} web processes, {report['conversations']} conversations, "
        f"{report['agents']} agents"
    )


def _cell(phase: dict[str, Any], path: tuple[str, ...]) -> str:
    value: Any = phase
    for name in path:
        value = value[name]
    return _text(value)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
