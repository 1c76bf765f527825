"""Which hashes and random numbers the code uses: SHA-1 and MD5 only where another program
prescribes them, and nothing secret that somebody could guess (docs/asvs.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "accounts", "conversations", "routing", "reporting", "messenger", "desk", "config")
WEAK = {"md5", "sha1", "sha224"}

PRESCRIBED = {
    "accounts/logins/breached_passwords.py",  # the format of Have I Been Pwned
    "conversations/calls/servers.py",  # coturn's credentials
    "core/rates/counters.py",  # Valkey names its scripts so
}
HARMLESS = {
    "config/web_servers/draining.py",  # spreads reconnecting browsers over time
    "conversations/webhooks/rounds.py",  # spreads retries over time
}
NAMES = {
    ("accounts/failed_logins.py", 12),  # part of a signed cookie
    ("accounts/models/websites.py", 9),  # a website's public key
    ("conversations/webhooks/verbs.py", 8),  # tells test events apart
    ("core/request_ids.py", 8),
    ("messenger/mirroring/consumers.py", 4),  # tells the tabs of a visitor apart
    ("routing/admin/programs.py", 4),  # part of a username
}
"""Short random texts that are no secrets, with their number of bytes."""


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                yield str(file.relative_to(ROOT)), node


def calls(*names: str) -> list[tuple[str, ast.Call]]:
    """Return the calls of these functions, with their files."""
    return [
        (file, node)
        for file, node in nodes()
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", "") or getattr(node.func, "id", "")) in names
    ]


def test_weak_hashes_are_used_only_where_they_are_prescribed() -> None:
    using = {
        file
        for file, node in nodes()
        if str(getattr(node, "attr", getattr(node, "value", ""))).lower() in WEAK
    }
    assert using == PRESCRIBED


def test_keyed_hashes_name_their_algorithm() -> None:
    """Without a name, Django takes SHA-1."""
    keyed = calls("salted_hmac")
    assert len(keyed) > 5
    unnamed = [file for file, call in keyed if "algorithm" not in {k.arg for k in call.keywords}]
    assert unnamed == []


def test_nothing_is_drawn_from_a_guessable_generator() -> None:
    importing = {
        file
        for file, node in nodes()
        if (isinstance(node, ast.Import) and "random" in {one.name for one in node.names})
        or (isinstance(node, ast.ImportFrom) and node.module == "random")
    }
    assert importing == HARMLESS


def test_secrets_have_at_least_128_bits() -> None:
    drawn = {
        (file, call.args[0].value)
        for file, call in calls("token_urlsafe", "token_hex", "token_bytes")
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, int)
    }
    assert {(file, size) for file, size in drawn if size < 16} == NAMES
    assert len(drawn) > len(NAMES) + 5
