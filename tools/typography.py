"""French typography: no-break spaces before ``: ; ? !`` and inside guillemets, and ’ for '.

Applies to the product's own texts when they are written. What people type is shown as they typed
it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

NARROW, NO_BREAK = "\u202f", "\u00a0"
SPACES = f" {NARROW}{NO_BREAK}"

# Not prose: the signs in it are not punctuation.
CODE = re.compile(
    r"```.*?```"  # Markdown
    r"|`[^`\n]*`"
    r"|\]\([^)\s]*\)"
    r"|\{%.*?%\}|\{\{.*?\}\}"  # templates
    r"|<!--.*?-->|</?[a-zA-Z][^>]*>"  # HTML, with its attributes
    r"|%\(\w+\)[sd]|%[sd]|\{\w*\}"  # placeholders
    r"|&#?\w+;"
    r"|\b[a-z][a-z0-9+.-]*://\S*[^\s.,;:?!)»…]"  # addresses
    r"|\b\w+\((?:[^()]|\([^()]*\))*\)"  # calls
    r"|(?<!\S):[a-z0-9_+-]+:(?!\S)|(?<!\S)[:;]-?[)(DPp](?!\w)",  # emoji
    re.DOTALL,
)
BEFORE = r"[^\W_]|[)\]»%…\"”\ue000-\uf8ff]"
HIGH = re.compile(rf"[{SPACES}]+(?=[;?!])|(?<={BEFORE})(?=[;?!]+(?:[{SPACES})»\n]|$))")
COLON = re.compile(rf"[{SPACES}]+(?=:(?!:|//))|(?<={BEFORE})(?=:(?:[{SPACES}\n]|$))")
OPENING = re.compile(rf"«[{SPACES}]*(?=\S)")
CLOSING = re.compile(rf"(?<=\S)[{SPACES}]*»")
PER_CENT = re.compile(rf"(?<=[\d\ue000-\uf8ff])[{SPACES}]+(?=%|€)")
APOSTROPHE = re.compile(r"(?<=[^\W\d_])'(?=[^\W_]|[«“<\ue000-\uf8ff])")
FRENCH = re.compile(r"[àâçéèêëîïôûùœ«»]", re.IGNORECASE)
PROSE = re.compile(r"[^\W\d_]{2,}[,;:]? [^\W\d_]")
PATTERN = re.compile(r"\\|\(\?|\[\^")


def french(text: str) -> str:
    """Return ``text`` with French typography; code in it stays unchanged."""
    codes: list[str] = []

    def hide(match: re.Match[str]) -> str:
        codes.append(match.group())
        return chr(0xE000 + len(codes) - 1)

    text = CODE.sub(hide, text)
    text = HIGH.sub(NARROW, text)
    text = COLON.sub(NO_BREAK, text)
    text = OPENING.sub("«" + NO_BREAK, text)
    text = CLOSING.sub(NO_BREAK + "»", text)
    text = PER_CENT.sub(NO_BREAK, text)
    text = APOSTROPHE.sub("’", text)
    for number, code in enumerate(codes):
        text = text.replace(chr(0xE000 + number), code, 1)
    return text


def faults(root: Path, folders: tuple[str, ...]) -> list[str]:
    """Return the French texts outside the catalogue that break the rules: in code, templates, the
    guide."""
    texts = [
        (path, text)
        for folder in folders
        for path in sorted((root / folder).rglob("*"))
        if not {"migrations", "vendor", "tests"} & set(path.parts)
        for text in texts_of(path)
    ]
    texts += [(path, path.read_text()) for path in sorted((root / "docs").rglob("fr.md"))]
    return [
        f"{path.relative_to(root)}: French typography: {_excerpt(text)!r}"
        for path, text in texts
        if french(text) != text
    ]


def texts_of(path: Path) -> Iterator[str]:
    """Yield what a file may show to a reader and looks French."""
    if path.suffix == ".py":
        tree = ast.parse(path.read_text())
        comments = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        prose = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in comments
        ]
    elif path.suffix == ".js":
        strings = re.findall(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`]*)`", path.read_text())
        prose = [text for texts in strings for text in texts]
    elif path.suffix in {".html", ".txt"}:
        prose = CODE.sub("\n", path.read_text()).splitlines()
    else:
        prose = []
    yield from (text for text in prose if _is_french(text))


def _is_french(text: str) -> bool:
    """Return whether a text in the code is French prose, and not a list of signs or a pattern."""
    return all(sign.search(text) for sign in (FRENCH, PROSE)) and not PATTERN.search(text)


def _excerpt(text: str) -> str:
    """Return the first line with wrong typography."""
    return next((line for line in text.splitlines() if french(line) != line), text)[:80]
