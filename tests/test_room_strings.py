"""No string in a room names a table or a URL of a room above it.

Imports are checked by import-linter; a string would pass it by. Templates are not checked: they
form the pages of the whole product, and link to each other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.urls import URLResolver, get_resolver

RANKS = {
    "core": 0,
    "accounts": 1,
    "conversations": 2,
    "routing": 3,
    "reporting": 4,
    "messenger": 5,
    "desk": 5,
    "config": 6,
}
REVERSING = {"reverse", "reverse_lazy", "redirect", "resolve_url"}

# docs/adr/0008: the database checks these foreign keys, and migrations need them by name.
ALLOWED = {
    ("conversations/models/conversations.py", "routing.DistributionRule"),
    ("conversations/models/conversations.py", "routing.RuleStep"),
    ("conversations/models/engaged.py", "routing.DistributionRule"),
    ("conversations/models/inboxes.py", "routing.DistributionRule"),
    ("accounts/views.py", "admin:index"),  # Django's own name, whichever site answers it.
}


def rooms_by_table() -> dict[str, str]:
    return {
        name: model._meta.app_label
        for model in apps.get_models()
        if model._meta.app_label in RANKS
        for name in (model._meta.db_table, model._meta.label, model._meta.label_lower)
    }


def rooms_by_url(resolver: Any = None, namespaces: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the lowest room with a view of each URL name."""
    rooms: dict[str, str] = {}
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            names = rooms_by_url(pattern, inner)
        else:
            view: Any = pattern.callback
            view = getattr(view, "view_class", getattr(view, "cls", view))
            names = {":".join((*namespaces, pattern.name or "")): view.__module__.split(".")[0]}
        for name, room in names.items():
            if room in RANKS:
                rooms[name] = min(room, rooms.get(name, room), key=RANKS.__getitem__)
    return rooms


def tables_named(tree: ast.AST, above: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the line and name of each table of ``above`` that a string names, except docstrings."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            for word in re.findall(r"\w+(?:\.\w+)?", node.value):
                if word in above:
                    yield node.lineno, word


def urls_named(tree: ast.AST, above: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the line and name of each URL of ``above`` that a call reverses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            for part in ast.walk(node) if name in REVERSING else ():
                if isinstance(part, ast.Constant) and part.value in above:
                    yield part.lineno, str(part.value)


@cache
def owned_above(room: str) -> tuple[set[str], set[str]]:
    """Return the tables and the URL names of the rooms above ``room``."""
    tables = {name for name, owner in rooms_by_table().items() if RANKS[owner] > RANKS[room]}
    urls = {name for name, owner in rooms_by_url().items() if RANKS[owner] > RANKS[room]}
    return tables, urls


def named_above(room: str, file: str, text: str) -> list[str]:
    """Return what ``text`` names of the rooms above ``room``."""
    tree = ast.parse(text)
    tables, urls = owned_above(room)
    return [
        f"{file}:{line} {name}"
        for line, name in (*tables_named(tree, tables), *urls_named(tree, urls))
        if (file, name) not in ALLOWED
    ]


@pytest.mark.parametrize("room", RANKS)
def test_no_string_names_a_table_or_url_of_a_higher_room(root: Path, room: str) -> None:
    offenders = [
        name
        for path in sorted((root / room).rglob("*.py"))
        if "migrations" not in path.parts
        for name in named_above(room, str(path.relative_to(root)), path.read_text())
    ]
    assert offenders == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("conversations", 'KEPT = {"reporting.transaction"}'),
        ("conversations", 'SQL = f"SELECT {1} FROM routing_deskpresence p"'),
        ("conversations", 'queue = ForeignKey("routing.RuleStep")'),
        ("accounts", 'reverse("production" if user.oversees else "desk")'),
        ("routing", 'django.urls.reverse("admin:builder", args=[1])'),
        ("reporting", 'redirect("conversation", 1)'),
    ],
)
def test_a_string_that_names_a_higher_room_is_found(room: str, line: str) -> None:
    assert named_above(room, f"{room}/example.py", line) != []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("conversations", '"""Purchases are in reporting.transaction."""'),
        ("conversations", 'SQL = "SELECT 1 FROM accounts_agent"'),
        ("desk", 'reverse("production")'),
        ("conversations", 'words = ["desk", "snoozed"]'),
    ],
)
def test_other_strings_are_not_reported(room: str, line: str) -> None:
    assert named_above(room, f"{room}/example.py", line) == []
