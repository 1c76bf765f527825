"""docs/lifecycle.md matches the table of transitions."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from conversations.lifecycle.transitions import TRANSITIONS, Status
from conversations.management.commands import lifecycle_diagram


def test_document_is_up_to_date() -> None:
    call_command("lifecycle_diagram", "--check", verbosity=0)


def test_every_verb_and_state_is_drawn() -> None:
    diagram = lifecycle_diagram.generated().split("```")[1]
    edges = {line.strip().split(":")[0] for line in diagram.splitlines() if "-->" in line}
    wanted = {
        f"{source or '[*]'} --> {transition.target_from(source)}"
        for transition in TRANSITIONS.values()
        for source in transition.sources
    }
    assert edges == wanted | {f"{Status.CLOSED} --> [*]"}
    for verb in TRANSITIONS:
        assert f"| `{verb}` |" in lifecycle_diagram.generated()


def test_check_reports_a_stale_document_without_changing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = f"# A\n\n{lifecycle_diagram.BEGIN}\nold\n{lifecycle_diagram.END}\n\n# B\n"
    path = tmp_path / "lifecycle.md"
    path.write_text(stale, encoding="utf-8")
    monkeypatch.setattr(lifecycle_diagram, "document", lambda: path)
    with pytest.raises(CommandError, match="is stale"):
        call_command("lifecycle_diagram", "--check")
    assert path.read_text(encoding="utf-8") == stale

    call_command("lifecycle_diagram", verbosity=0)
    written = path.read_text(encoding="utf-8")
    assert written == f"# A\n\n{lifecycle_diagram.generated()}\n\n# B\n"
    call_command("lifecycle_diagram", "--check")


def test_a_document_without_markers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lifecycle.md"
    path.write_text("# A\n", encoding="utf-8")
    monkeypatch.setattr(lifecycle_diagram, "document", lambda: path)
    with pytest.raises(CommandError, match="markers"):
        call_command("lifecycle_diagram")
