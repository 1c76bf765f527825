"""The measures of the code base are correct, and a worse number is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import sizes

CODE = '''"""SELECT a room: prose."""

# Why the next line is so.
QUERY = "SELECT id FROM conversation"  # a hot path
WORDS = "select one of these"


def short() -> int:
    return 1


async def long() -> int:
    def inner() -> int:
        return 2

    return inner()
'''


def test_function_lengths_include_inner_functions() -> None:
    assert sorted(sizes.function_lengths(CODE)) == [2, 2, 5]


def test_comments_are_counted_and_docstrings_are_not() -> None:
    assert sizes.comments(CODE) == 2


def test_only_sql_literals_are_counted() -> None:
    assert sizes.sql_literals('QUERY = "SELECT id FROM conversation"') == 1
    assert sizes.sql_literals('QUERY = "WITH due AS (SELECT 1) SELECT * FROM due"') == 1
    assert sizes.sql_literals('WORDS = "Select one of these"') == 0
    assert sizes.sql_literals('WORDS = "The rows that SELECT ... FROM returns"') == 0


def test_a_percentile_is_one_of_the_numbers() -> None:
    assert sizes.percentile(list(range(1, 101)), 95) == 96
    assert sizes.percentile([7], 95) == 7


@pytest.mark.parametrize(
    ("name", "size", "limit", "is_worse"),
    [
        ("function_lines_max", 61, 60, True),
        ("function_lines_max", 60, 60, False),
        ("comments_per_100_lines", 1.3, 1.4, True),
        ("comments_per_100_lines", 1.5, 1.4, False),
        ("test_lines_per_code_line", 0.85, 0.86, True),
        ("file_lines_median", 82, 75, False),
        ("file_lines_median", 83, 75, True),
        ("function_lines_p95", 28, 25, True),
    ],
)
def test_the_worse_direction_depends_on_the_measure(
    name: str, size: float, limit: float, is_worse: bool
) -> None:
    assert sizes.is_worse(name, size, limit) is is_worse


def test_gendered_pronouns_are_counted_as_whole_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "ROOT", tmp_path)
    pronoun = "h" + "e"
    (tmp_path / "page.html").write_text(f"When {pronoun} writes, the history of this chat opens.")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor/page.html").write_text(f"When {pronoun} writes")
    assert sizes.gendered_pronouns() == 1


def test_long_lines_of_templates_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "ROOT", tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/page.html").write_text(f"{'x' * 200}\n{'x' * 201}\n")
    assert sizes.long_template_lines() == 1


@pytest.fixture
def limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sizes.json"
    monkeypatch.setattr(sizes, "LIMITS", path)
    monkeypatch.setattr(sizes, "measure", lambda: {"sql_literals": 64, "import_cycles": 0})
    return path


def test_a_number_at_its_limit_passes(limits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes.sys, "argv", ["sizes"])
    limits.write_text(json.dumps({"sql_literals": 64, "import_cycles": 0}))
    assert sizes.main() == 0


def test_a_worse_number_fails_and_is_not_recorded(
    limits: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sizes.sys, "argv", ["sizes", "--record"])
    limits.write_text(json.dumps({"sql_literals": 63, "import_cycles": 0}))
    assert sizes.main() == 1
    assert "Worse than tools/sizes.json allows: sql_literals" in capsys.readouterr().out
    assert json.loads(limits.read_text())["sql_literals"] == 63


def test_better_numbers_are_recorded_only_on_request(
    limits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits.write_text(json.dumps({"sql_literals": 70, "import_cycles": 0}))
    monkeypatch.setattr(sizes.sys, "argv", ["sizes"])
    assert sizes.main() == 0
    assert json.loads(limits.read_text())["sql_literals"] == 70
    monkeypatch.setattr(sizes.sys, "argv", ["sizes", "--record"])
    assert sizes.main() == 0
    assert json.loads(limits.read_text())["sql_literals"] == 64


def test_the_limits_name_every_measure() -> None:
    assert set(json.loads(sizes.LIMITS.read_text())) == set(sizes.measure())
    assert json.loads(sizes.LIMITS.read_text())["gendered_pronouns"] == 0
