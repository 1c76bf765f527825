"""Calls that turn data into code or commands, or text into markup: none, or in the places that are
listed here with the reason (docs/asvs.md)."""

from __future__ import annotations

import ast
import re

from tests.test_cryptography import ROOT, nodes

EVALUATING = {"eval", "exec", "compile", "__import__"}
UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "yaml", "xml", "xmlrpc", "ldap"}
WITH_XML = {
    ("conversations/messages/macros.py", "xml"),  # expat, which fetches nothing from outside
    ("reporting/exports/workbook.py", "xml"),  # escapes what it writes, reads nothing
}
MARKING_SAFE = {
    "conversations/knowledge/markdown.py",  # after two filters (docs/adr/0049)
    "desk/guide.py",  # our own documents
    "desk/templatetags/addresses.py",  # a constant
}
SITEMAPS = "conversations/knowledge/sitemaps.py"  # lxml, without entities, network or huge trees
SCRIPT_SINKS = re.compile(
    r"\.(inner|outer)HTML\s*\+?=(?!=)|insertAdjacentHTML|document\.write|\beval\(|new Function\b"
)


def names(node: ast.AST) -> set[str]:
    """Return the modules that an import names."""
    if isinstance(node, ast.Import):
        return {one.name.partition(".")[0] for one in node.names}
    if isinstance(node, ast.ImportFrom) and not node.level:
        return {(node.module or "").partition(".")[0]}
    return set()


def called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def test_no_text_is_executed() -> None:
    assert {(file, called(node)) for file, node in nodes() if called(node) in EVALUATING} == set()


def test_no_unsafe_format_is_read() -> None:
    """Objects from bytes, and XML: HTML is read by lxml’s HTML parser, which fetches nothing, and
    XML in one place, without entities."""
    using = {(file, name) for file, node in nodes() for name in names(node) & UNSAFE_MODULES}
    assert using == WITH_XML
    parsers = {
        (file, node.attr)
        for file, node in nodes()
        if isinstance(node, ast.Attribute) and node.attr in {"XMLParser", "fromstring"}
    }
    assert parsers == {(SITEMAPS, "XMLParser"), (SITEMAPS, "fromstring")}


def test_no_command_passes_a_shell() -> None:
    shells = {
        file
        for file, node in nodes()
        if (isinstance(node, ast.keyword) and node.arg == "shell")
        or (isinstance(node, ast.Attribute) and node.attr in {"system", "popen", "getoutput"})
    }
    assert shells == set()


def test_text_is_marked_as_markup_only_where_it_was_cleaned() -> None:
    marking = {
        file
        for file, node in nodes()
        if called(node) in {"mark_safe", "SafeString"} and "migrations" not in file
    }
    assert marking == MARKING_SAFE


def test_templates_escape_everything() -> None:
    """All but those of plain mails, which are no markup."""
    unescaped = [
        file
        for file in (ROOT / "templates").rglob("*.html")
        if re.search(r"\|\s*safe\b|autoescape off", file.read_text("utf-8"))
    ]
    assert unescaped == []


def test_no_script_writes_markup() -> None:
    writing = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "static").rglob("*.js")
        if "vendor" not in file.parts and SCRIPT_SINKS.search(file.read_text("utf-8"))
    }
    assert writing == set()


def test_no_template_is_made_of_text() -> None:
    """Texts of users are data: only files are templates (N21)."""
    made = {
        file
        for file, node in nodes()
        if called(node) == "Template" or getattr(node, "attr", "") == "from_string"
    }
    assert made == set()
