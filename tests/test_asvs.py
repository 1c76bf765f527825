"""docs/asvs.md: each requirement has one row, what is kept names tests, and these exist."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "asvs.md").read_text("utf-8")

# The numbers of OWASP ASVS 5.0.0 by level.
LEVELS = {
    1: """
    1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1
    3.4.1 3.4.2 3.5.1 3.5.2 3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3
    6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2
    8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5 11.3.1
    11.3.2 11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1
    """,
    2: """
    1.1.1 1.1.2 1.2.6 1.2.7 1.2.8 1.2.9 1.3.3 1.3.4 1.3.5 1.3.6 1.3.7 1.3.8 1.3.9 1.3.10 1.3.11
    1.4.1 1.4.2 1.4.3 1.5.2 2.1.2 2.1.3 2.2.3 2.3.2 2.3.3 2.3.4 2.4.1 3.3.2 3.3.3 3.3.4 3.4.3
    3.4.4 3.4.5 3.4.6 3.5.4 3.5.5 3.7.1 3.7.2 4.1.2 4.1.3 4.2.1 4.3.1 4.3.2 4.4.2 4.4.3 4.4.4
    5.1.1 5.2.3 5.4.1 5.4.2 5.4.3 6.1.2 6.1.3 6.2.9 6.2.10 6.2.11 6.2.12 6.3.3 6.3.4 6.4.3 6.4.4
    6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2 6.6.3 6.8.1 6.8.2 6.8.3 6.8.4 7.1.1 7.1.2 7.1.3
    7.3.1 7.3.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2 8.1.2 8.2.3 8.4.1 9.2.2 9.2.3 9.2.4
    10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 10.3.2 10.3.3 10.3.4 10.4.6 10.4.7 10.4.8 10.4.9 10.4.10
    10.4.11 10.5.1 10.5.2 10.5.3 10.5.4 10.5.5 10.6.1 10.6.2 10.7.1 10.7.2 10.7.3 11.1.1 11.1.2
    11.2.1 11.2.2 11.2.3 11.3.3 11.4.2 11.4.3 11.4.4 11.5.1 11.6.1 12.1.2 12.1.3 12.3.1 12.3.2
    12.3.3 12.3.4 13.1.1 13.2.1 13.2.2 13.2.3 13.2.4 13.2.5 13.3.1 13.3.2 13.4.2 13.4.3 13.4.4
    13.4.5 14.1.1 14.1.2 14.2.2 14.2.3 14.2.4 14.3.2 14.3.3 15.1.2 15.1.3 15.2.2 15.2.3 15.3.2
    15.3.3 15.3.4 15.3.5 15.3.6 15.3.7 16.1.1 16.2.1 16.2.2 16.2.3 16.2.4 16.2.5 16.3.1 16.3.2
    16.3.3 16.3.4 16.4.1 16.4.2 16.4.3 16.5.1 16.5.2 16.5.3 17.1.1 17.2.1 17.2.2 17.2.3 17.2.4
    17.3.1 17.3.2
    """,
}
STATES = ("kept", "untested", "not kept", "does not apply")
ROW = re.compile(
    r"^\| (\d+\.\d+\.\d+) \| (\d) \| (.+?) \| (.+?) \| (.+?) \| (.*?) ?\|$", re.MULTILINE
)
COUNT = re.compile(r"^\| ([a-z ]+) \| .*? ?\| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@dataclass(frozen=True)
class Row:
    number: str
    level: int
    about: str
    state: str
    where: str
    tests: str


ROWS = [Row(one[0], int(one[1]), *one[2:]) for one in ROW.findall(PAGE)]


def test_each_requirement_has_one_row() -> None:
    expected = {number: level for level, text in LEVELS.items() for number in text.split()}
    assert len(expected) == 253
    assert {row.number: row.level for row in ROWS} == expected
    assert [
        number for number, times in Counter(row.number for row in ROWS).items() if times > 1
    ] == []
    in_tables = re.findall(r"^\| \d+\.\d+\.\d+ ", PAGE, re.MULTILINE)
    assert len(in_tables) == len(ROWS)  # every row has the form that this test reads


def test_rows_are_in_order_under_their_chapters() -> None:
    chapter = 0
    numbers = []
    for line in PAGE.splitlines():
        if heading := re.match(r"## (\d+) ", line):
            chapter = int(heading[1])
        elif row := ROW.match(line):
            numbers.append([int(part) for part in row[1].split(".")])
            assert numbers[-1][0] == chapter
    assert numbers == sorted(numbers)


def test_the_state_says_what_the_row_has() -> None:
    wrong = [
        row.number
        for row in ROWS
        if row.state not in STATES
        or bool(TEST.search(row.tests)) != (row.state == "kept")
        or (row.state == "untested" and not re.search(r"`|\]\(", row.where))
        or (row.state in {"not kept", "does not apply"} and not row.where.endswith("."))
    ]
    assert wrong == []


def test_the_counts_are_those_of_the_rows() -> None:
    counted = {
        state: tuple(
            sum(row.level in levels and row.state == state for row in ROWS)
            for levels in ((1,), (2,), (1, 2))
        )
        for state in STATES
    }
    counted["all"] = tuple(sum(column) for column in zip(*counted.values(), strict=True))
    written = {state: tuple(map(int, numbers)) for state, *numbers in COUNT.findall(PAGE)}
    assert written == counted


def test_what_is_not_kept_is_listed_at_the_top() -> None:
    part = PAGE.split("## Not kept")[1].split("\n## ")[0]
    listed = Counter(re.findall(r"\d+\.\d+\.\d+", part))
    assert listed == Counter(row.number for row in ROWS if row.state == "not kept")


def test_every_named_test_exists() -> None:
    named = {found for row in ROWS for found in TEST.findall(row.tests)}
    assert len(named) > 150
    missing = {
        (path, name)
        for path, name in named
        if not (ROOT / path).is_file()
        or (name and not re.search(rf"def {name}\(", (ROOT / path).read_text("utf-8")))
    }
    assert missing == set()
    # Whatever is in a cell of tests is one that this test has looked for.
    for row in ROWS:
        assert TEST.sub("", row.tests).replace("<br>", "") == "", row.number
