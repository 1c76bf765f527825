"""``make messages``: bring the .po files up to date with code and templates, without gettext."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import polib
from django.utils.translation.template import templatize

from tools import typography

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("fr",)
APPS = ("core", "accounts", "conversations", "routing", "reporting", "messenger", "desk", "config")
MARKED = re.compile(r"\b(_|n?p?gettext|p?n?gettext)(_lazy|_noop)?\(")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
# The typography of each language: it corrects and checks what a translator typed.
SETTING = {"fr": typography.french}
HEADER = r"""msgid ""
msgstr ""
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\n"
"""

# context, text, plural
Message = tuple[str | None, str, str | None]


def main() -> None:
    used = messages()
    for source in files():
        update(source, used)
    problems = [fault for source in files() for fault in faults(source, used)]
    for fault in problems + typography.faults(ROOT, (*APPS, "templates", "static")):
        print(fault)


def files() -> list[Path]:
    """Return the files that translators fill."""
    return [ROOT / "locale" / language / "LC_MESSAGES" / "django.po" for language in LANGUAGES]


def messages() -> dict[Message, set[str]]:
    """Return every marked text, with the files that use it."""
    used: dict[Message, set[str]] = defaultdict(set)
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                for message in _in_python(ast.parse(path.read_text())):
                    used[message].add(str(path.relative_to(ROOT)))
    folders = [ROOT / "templates", *(ROOT / app / "templates" for app in APPS)]
    for path in sorted(path for folder in folders for path in folder.rglob("*.*")):
        for message in _in_template(path.read_text()):
            used[message].add(str(path.relative_to(ROOT)))
    return used


def update(source: Path, used: dict[Message, set[str]]) -> None:
    """Add new texts, untranslated; drop unused ones; fix the typography of translations."""
    if not source.exists():
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(HEADER)
    po = polib.pofile(str(source), wrapwidth=100)
    entries = {_key(entry): entry for entry in po}
    po.clear()
    for message in sorted(used, key=lambda message: (sorted(used[message])[0], message[1])):
        context, text, plural = message
        entry = entries.get(message) or polib.POEntry(msgctxt=context, msgid=text)
        if plural is not None and not entry.msgid_plural:
            entry.msgid_plural, entry.msgstr_plural = plural, {0: "", 1: ""}
        entry.obsolete = False
        entry.occurrences = [(path, "") for path in sorted(used[message])]
        setting = _setting(source)
        entry.msgstr = setting(entry.msgstr)
        entry.msgstr_plural = {
            number: setting(text) for number, text in entry.msgstr_plural.items()
        }
        po.append(entry)
    po.save()


def faults(source: Path, used: dict[Message, set[str]]) -> list[str]:
    """Return what a reader of this language would see untranslated, or badly typeset."""
    name = source.relative_to(ROOT)
    if not source.exists():
        return [f"{name} is missing (make messages)"]
    entries = {_key(entry): entry for entry in polib.pofile(str(source)) if not entry.obsolete}
    problems = [
        f"{name}: not listed (make messages): {text!r}" for _, text, _ in used.keys() - entries
    ]
    for message, entry in entries.items():
        translations = list(entry.msgstr_plural.values()) or [entry.msgstr]
        if message not in used:
            problems.append(f"{name}: not used any more (make messages): {entry.msgid!r}")
        elif entry.fuzzy or not all(translations):
            problems.append(f"{name}: not translated: {entry.msgid!r}")
        elif not entry.msgid_plural and _placeholders(entry.msgid) != _placeholders(entry.msgstr):
            problems.append(f"{name}: other placeholders than in: {entry.msgid!r}")
        elif any(_setting(source)(text) != text for text in translations):
            problems.append(f"{name}: typography (make messages): {entry.msgid!r}")
    return problems


def _setting(source: Path) -> Callable[[str], str]:
    """Return the typography function of a catalogue."""
    return SETTING.get(source.parent.parent.name, str)


def _key(entry: polib.POEntry) -> Message:
    return entry.msgctxt or None, entry.msgid, entry.msgid_plural or None


def _placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def _in_python(tree: ast.AST) -> Iterator[Message]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(map(_is_figure, node.decorator_list)):
            for paragraph in (ast.get_docstring(node) or "").split("\n\n"):
                yield None, " ".join(paragraph.split()), None
        if not isinstance(node, ast.Call):
            continue
        name: str = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
        if not MARKED.fullmatch(f"{name}("):
            continue
        texts = [
            argument.value
            for argument in node.args
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        name = name.removesuffix("_lazy").removesuffix("_noop")
        context = texts.pop(0) if "p" in name.removesuffix("gettext") and texts else None
        if texts:
            plural = texts[1] if "n" in name.removesuffix("gettext") and len(texts) > 1 else None
            yield context, texts[0], plural


def _is_figure(decorator: ast.expr) -> bool:
    """Return whether a function is a figure of the reports: its docstring is shown on the page."""
    return isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "figure"


def _in_template(text: str) -> Iterator[Message]:
    """Yield the messages of a template. Django turns it into something like code that contains the
    calls."""
    code = templatize(text)
    for match in MARKED.finditer(code):
        for end in (found.end() for found in re.finditer(r"\)", code[match.start() :])):
            try:
                tree = ast.parse(code[match.start() : match.start() + end])
            except SyntaxError:
                continue
            yield from _in_python(tree)
            break


if __name__ == "__main__":
    main()
