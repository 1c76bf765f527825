"""The picture of a scenario: steps in layers, ordered so that few ways cross. A pure function.

The layer of a step is the length of the longest way to it; within the layers, steps move towards
the middle of their neighbours, from above and from below in turn. Steps that nothing leads to come
last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from routing.bots.checks import graph
from routing.bots.scenario import Scenario

WIDTH, HEIGHT = 168, 52  # of a box
GAP, LAYER_GAP = 24, 54
MARGIN = 12
SWEEPS = 8
WIDEST = 6  # boxes in a row; a longer layer goes on in the next row


@dataclass(frozen=True, slots=True)
class Box:
    """A step, with the coordinates of its upper left corner."""

    step: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Line:
    """A way from a step to another: the path of an SVG. ``is_back`` leads up or aside."""

    start: str
    end: str
    path: str
    is_back: bool


@dataclass(frozen=True, slots=True)
class Picture:
    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def reading_order(plan: Scenario) -> list[str]:
    """Return the steps as a conversation meets them: depth first, in the order of the ways."""
    edges, placed = graph(plan), dict[str, None]()
    left = [plan.start]
    while left:
        step = left.pop()
        if step in edges and step not in placed:
            placed[step] = None
            left += reversed(edges[step])
    return [*placed, *(step for step in edges if step not in placed)]


def draw(plan: Scenario) -> Picture:
    """Return the picture of a scenario."""
    edges = graph(plan)
    rows = ordered(layers(plan.start, edges), edges)
    broadest = max((len(row) for row in rows), default=1)
    width = broadest * (WIDTH + GAP) - GAP + 2 * MARGIN
    boxes = {
        step: Box(
            step,
            x=(width - len(row) * (WIDTH + GAP) + GAP) // 2 + place * (WIDTH + GAP),
            y=MARGIN + number * (HEIGHT + LAYER_GAP),
        )
        for number, row in enumerate(rows)
        for place, step in enumerate(row)
    }
    lines = tuple(_line(boxes[step], boxes[to]) for step in boxes for to in edges[step])
    height = len(rows) * (HEIGHT + LAYER_GAP) - LAYER_GAP + 2 * MARGIN
    return Picture(width, max(height, 0), tuple(boxes.values()), lines)


def layers(start: str, edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the steps by the length of the longest way to them, in rows of at most ``WIDEST``.

    Ways back to an earlier step do not count. So most ways lead down, and the ends are below.
    """
    order, forward = _forward(start, edges)
    depth = dict.fromkeys(order, 0)
    for step in order:
        for to in forward[step]:
            depth[to] = max(depth[to], depth[step] + 1)
    rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for step in order:
        rows[depth[step]].append(step)
    lost = [step for step in edges if step not in depth]
    rows += [lost] if lost else []
    return [one[at : at + WIDEST] for one in rows for at in range(0, len(one), WIDEST)]


def _forward(
    start: str, edges: Mapping[str, Sequence[str]]
) -> tuple[list[str], dict[str, list[str]]]:
    """Return the reachable steps, each before those that it leads to, and the ways without those
    that lead back."""
    finished: list[str] = []
    forward: dict[str, list[str]] = {}
    path: set[str] = set()
    left = [(start, False)] if start in edges else []
    while left:
        step, is_done = left.pop()
        if is_done:
            path.discard(step)
            finished.append(step)
        elif step not in forward:
            path.add(step)
            forward[step] = [to for to in edges[step] if to not in path]
            left.append((step, True))
            left += [(to, False) for to in reversed(forward[step]) if to not in forward]
    return finished[::-1], forward


def ordered(rows: list[list[str]], edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the rows with few crossings: the best of some sweeps down and up."""
    back: dict[str, list[str]] = {step: [] for step in edges}
    for step, tos in edges.items():
        for to in tos:
            back[to].append(step)
    best, least = rows, crossings(rows, edges)
    for number in range(SWEEPS):
        neighbours = back if number % 2 == 0 else edges
        rows = _swept(rows, neighbours, is_up=number % 2 == 1)
        count = crossings(rows, edges)
        if count < least:
            best, least = rows, count
    return best


def _swept(
    rows: list[list[str]], neighbours: Mapping[str, Sequence[str]], *, is_up: bool
) -> list[list[str]]:
    places = {step: n - (len(row) - 1) / 2 for row in rows for n, step in enumerate(row)}
    swept = []
    for row in reversed(rows) if is_up else rows:
        middles = {}
        for step in row:
            others = [places[one] for one in neighbours[step] if one not in row]
            middles[step] = sum(others) / len(others) if others else places[step]
        row = sorted(row, key=middles.__getitem__)
        places |= {step: n - (len(row) - 1) / 2 for n, step in enumerate(row)}
        swept.append(row)
    return swept[::-1] if is_up else swept


def crossings(rows: list[list[str]], edges: Mapping[str, Sequence[str]]) -> int:
    """Count the pairs of ways between neighbouring rows that cross."""
    count = 0
    for upper, lower in pairwise(rows):
        below = {step: n for n, step in enumerate(lower)}
        ends = [(n, below[to]) for n, step in enumerate(upper) for to in edges[step] if to in below]
        count += sum(
            (one[0] - other[0]) * (one[1] - other[1]) < 0
            for at, one in enumerate(ends)
            for other in ends[at + 1 :]
        )
    return count


def _line(box: Box, to: Box) -> Line:
    """Return the way between two boxes: down from below, else around the right side."""
    if to.y > box.y:
        x, y, end_x, end_y = box.x + WIDTH // 2, box.y + HEIGHT, to.x + WIDTH // 2, to.y
        bend = min(LAYER_GAP, (end_y - y) // 2)
        path = f"M{x} {y}C{x} {y + bend} {end_x} {end_y - bend} {end_x} {end_y}"
        return Line(box.step, to.step, path, is_back=False)
    x, y, end_x, end_y = box.x + WIDTH, box.y + HEIGHT // 2, to.x + WIDTH, to.y + HEIGHT // 2
    bend = 18 if to.step != box.step else 26
    low = y if to.step != box.step else y + 12
    path = f"M{x} {low}C{x + bend} {low} {end_x + bend} {end_y - 8} {end_x} {end_y - 8}"
    return Line(box.step, to.step, path, is_back=True)
