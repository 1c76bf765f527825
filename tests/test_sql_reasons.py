"""SQL of our own has a reason, which its module states."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path

import pytest

from tools.sizes import CODE, python_files, sql_literals

REASON = "plain sql"
PROSE = {tokenize.COMMENT, tokenize.STRING}
MODULES = [path for room in CODE for path in python_files(room) if sql_literals(path.read_text())]


def states_reason(text: str) -> bool:
    """Return whether a comment or docstring gives the reason."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return any(REASON in token.string.lower() for token in tokens if token.type in PROSE)


@pytest.mark.parametrize("path", MODULES, ids=[str(path) for path in MODULES])
def test_a_module_with_sql_states_its_reason(path: Path) -> None:
    assert states_reason(path.read_text()), f"{path} must say why it does not use the ORM"


def test_a_module_without_a_reason_is_found() -> None:
    assert not states_reason('ALL = "SELECT id FROM accounts_user"\n')
    assert states_reason('# Plain SQL: a hot path.\nALL = "SELECT id FROM accounts_user"\n')
