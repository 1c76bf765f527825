"""The documents: their links resolve, and the requirement numbers cited in the code exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "accounts", "conversations", "routing", "reporting", "messenger", "desk", "config")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ANCHOR = re.compile(r'<a id="([A-Z]\d+)">')
NUMBER = re.compile(r"\b[RCBN][1-9]\d{0,2}\b")


def documents() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def slugs(text: str) -> set[str]:
    """Return the anchors of a page: its headings, as forges name them, and its own marks."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading).strip().lower() for heading in headings)
    return {heading.replace(" ", "-") for heading in plain} | set(ANCHOR.findall(text))


def resolves(link: str, page: Path) -> bool:
    address, _, anchor = link.partition("#")
    if re.match(r"[a-z]+:", address):
        return True  # External links are not tested.
    target = (page.parent / address).resolve() if address else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in slugs(target.read_text("utf-8"))


def test_every_link_between_documents_resolves() -> None:
    dead = [
        (page.name, link)
        for page in documents()
        for link in LINK.findall(page.read_text("utf-8"))
        if not resolves(link, page)
    ]
    assert dead == []


def test_every_cited_requirement_number_exists() -> None:
    pages = (ROOT / "docs" / name for name in ("requirements.md", "security-tests.md"))
    known = {number for page in pages for number in ANCHOR.findall(page.read_text("utf-8"))}
    cited = {
        (str(file.relative_to(ROOT)), number)
        for room in (*ROOMS, "tests")
        for file in (ROOT / room).rglob("*.py")
        for number in NUMBER.findall(file.read_text("utf-8"))
    }
    assert len(cited) > 100
    assert {(file, number) for file, number in cited if number not in known} == set()


def test_requirement_numbers_are_unique_and_complete() -> None:
    for name, at_least in (("requirements.md", 273), ("security-tests.md", 24)):
        numbers = ANCHOR.findall((ROOT / "docs" / name).read_text("utf-8"))
        assert len(numbers) == len(set(numbers)) >= at_least


def test_every_file_that_a_document_names_exists() -> None:
    named = {
        (page.name, path)
        for page in documents()
        for path in re.findall(
            r"`((?:\w+/)+[\w.-]+\.(?:py|js|css|html|json|md))`", page.read_text("utf-8")
        )
    }
    assert len(named) > 150
    assert {(page, path) for page, path in named if not (ROOT / path).exists()} == set()


TICKED = re.compile(r"`{1,2}((?:\w+\.)+\w+)(?:\(\))?`{1,2}")
MIGRATION = re.compile(r"\d{4}\w*")
ENDINGS = {"py", "js", "md", "css", "html", "json", "jsonl"}


def defined(tree: ast.Module) -> set[str]:
    """What a module defines or imports: functions, constants, classes and ``Class.attribute``."""
    names = set[str]()
    for node in ast.walk(tree):
        inside = node.body if isinstance(node, ast.ClassDef) else []
        for one in [*inside, *(tree.body if node is tree else [])]:
            prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(prefix + one.name)
            elif isinstance(one, ast.Assign):
                names |= {prefix + name.id for name in one.targets if isinstance(name, ast.Name)}
            elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                names.add(prefix + one.target.id)
            elif isinstance(one, ast.ImportFrom):
                names |= {name.asname or name.name for name in one.names}
    return names


def sources() -> list[Path]:
    files = (file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
    return [file for file in files if "migrations" not in file.parts]


def test_every_dotted_name_in_documents_and_comments_exists() -> None:
    """``dispatch.serve``: some module ``dispatch`` has a ``serve``; what starts with no module or
    class of ours is somebody else's."""
    names: dict[str, set[str]] = {}  # by each way to write a module, or a class
    for file in sources():
        parts = file.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        known = defined(ast.parse(file.read_text("utf-8")))
        for start in range(len(parts)):
            names.setdefault(".".join(parts[start:]), set()).update(known)
            if parts[0] == parts[start]:  # as Django writes a model: app.Model
                names.setdefault(parts[0], set()).update(
                    name for name in known if name[0].isupper()
                )
            for end in range(start + 1, len(parts)):
                names.setdefault(".".join(parts[start:end]), set()).add(".".join(parts[end:]))
        for name in known:
            owner, _, attribute = name.partition(".")
            if attribute:
                names.setdefault(owner, {"objects"}).add(attribute)
    missing = set()
    for page in [*documents(), *sources()]:
        for name in TICKED.findall(page.read_text("utf-8")):
            head, _, rest = name.partition(".")
            while head not in names and "." in rest:
                more, _, rest = rest.partition(".")
                head = f"{head}.{more}"
            first = rest.split(".")[0]
            is_ours = head in names and rest not in ENDINGS and not MIGRATION.fullmatch(first)
            if is_ours and first not in names[head]:
                missing.add((page.name, name))
    assert missing == set()


def test_each_decision_is_listed_once_and_in_order() -> None:
    listed = re.findall(
        r"^\| \[(\d{4})\]\(adr/([^)]+)\) \|", (ROOT / "docs" / "README.md").read_text("utf-8"), re.M
    )
    assert [name for _number, name in listed] == sorted(
        path.name for path in (ROOT / "docs" / "adr").glob("*.md")
    )
    assert all(name.startswith(number) for number, name in listed)
