"""What strangers send, and all places where they can: found in the code, not listed by hand."""

from __future__ import annotations

import ast
import importlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from django import forms
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from rest_framework import serializers

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "core",
    "accounts",
    "conversations",
    "routing",
    "reporting",
    "messenger",
    "desk",
    "config",
)

ODD = "a\0b \ud83d \u202etxt.exe \u200b\u2066 \ufeff"
TEXTS = [ODD, "x" * 65_000]
WRONG: list[Any] = [None, True, ["a"], {"a": {"b": []}}, 2**62]
BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe",
    b'{"a": "\xe9"}',
    b'{"a": NaN, "body": Infinity}',
    b'{"a": 1e999}',
    b'{"body": 1, "body": 2}',
    b'{"seq": ' + b"9" * 5000 + b"}",
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"body":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b"[" * 10_000,
    b"{" + b" " * 3_000_000 + b"}",
]
HEADERS = {
    "Origin": "http://[",
    "Referer": "http://[\u202e",
    "User-Agent": "x" * 5000,
    "Accept-Language": "\xff;q=\xfe,,;",
}


def dumped(value: Any) -> bytes:
    """Encode JSON as a script sends it, with halves of surrogate pairs escaped."""
    return json.dumps(value).encode()


def modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts and "management" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                yield importlib.import_module(name.removesuffix(".__init__"))


def names_read_by(module: ModuleType) -> set[str]:
    """Return the names that a module reads from a request: ``sent.get("x")``, ``sent["x"]``."""
    names = set()
    for node in ast.walk(ast.parse(Path(module.__file__ or "").read_text("utf-8"))):
        key: ast.expr | None = None
        match node:
            case ast.Call(func=ast.Attribute(attr="get" | "getlist" | "pop"), args=[key, *_rest]):
                pass
            case ast.Call(func=ast.Name(id="_text"), args=[_sent, key, *_rest]):
                pass
            case ast.Subscript(slice=key):
                pass
        if (
            isinstance(key, ast.Constant)
            and isinstance(key.value, str)
            and key.value.isidentifier()
        ):
            names.add(key.value)
    return names


def declared_fields() -> set[str]:
    """Return the fields of all our forms and serializers."""
    names: set[str] = set()
    for base in (forms.BaseForm, serializers.BaseSerializer):
        for one in _descendants(base):
            if one.__module__.partition(".")[0] in PACKAGES:
                declared = getattr(one, "base_fields", None) or getattr(one, "_declared_fields", {})
                names |= set(declared)
    return names


def _descendants(base: type) -> Iterator[type]:
    for one in base.__subclasses__():
        yield one
        yield from _descendants(one)


def patterns() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each address of the URLconf: its route, and the converters in it."""
    yield from _patterns(get_resolver().url_patterns, "", {})


def _patterns(
    patterns: Iterable[URLPattern | URLResolver], route: str, converters: dict[str, str]
) -> Iterator[tuple[str, dict[str, str]]]:
    for one in patterns:
        inner = converters | {
            name: type(converter).__name__ for name, converter in one.pattern.converters.items()
        }
        if isinstance(one, URLResolver):
            yield from _patterns(one.url_patterns, route + str(one.pattern), inner)
        elif isinstance(one.pattern, RoutePattern):
            yield route + str(one.pattern), inner


def replaced(payload: dict[str, Any], value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield ``payload`` with ``value`` in place of each of its fields, however deep, one at a
    time."""
    for name, inner in payload.items():
        yield name, payload | {name: value}
        children = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(children, dict):
            for deep, fresh in replaced(children, value):
                yield (
                    f"{name}.{deep}",
                    payload | {name: [fresh] if isinstance(inner, list) else fresh},
                )
