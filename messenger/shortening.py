"""Shortening of variable names in a script of which each page view pays every byte.

A name that a script declares, and that is nowhere a property, a key or a shorthand, is a variable
wherever it occurs, so an unused name can replace it everywhere. The libraries that do this have no
wheels for some of the machines that we support.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import count, pairwise, product
from string import ascii_letters
from typing import NamedTuple

TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<word>[A-Za-z_$][\w$]*)"""
    r"""|(?P<number>\d[\w.]*)|(?P<blank>\s+)|(?P<sign>\?\.|.)"""
)
PATTERN = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[])+/[a-z]*")
TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(?:`|\$\{)", re.DOTALL)
PARAMETERS = re.compile(r"function [\w$]+\(([\w$,]+)\)")
BEFORE_BLOCK = {")", ">", "else", "try", "catch", "finally", ";", "}"}  # ">" ends an arrow
DECLARING = {"const", "let", "function"}


class Token(NamedTuple):
    """A piece of a script. ``inside`` is the bracket around it, or ``block`` around statements."""

    kind: str
    text: str
    inside: str = ""


def shorten(script: str) -> str:
    """Return ``script``, which has no comments, with short names for the variables it declares."""
    tokens = list(_tokens(script))
    solid = [token for token in tokens if token.kind != "blank"]
    words = Counter(token.text for token in solid if token.kind == "word")
    own = {two.text for one, two in pairwise(solid) if one.text in DECLARING}
    own |= {name for parameters in PARAMETERS.findall(script) for name in parameters.split(",")}
    renamed = sorted((own & words.keys()) - _named(solid), key=lambda word: (-words[word], word))
    # A keyword of two letters, such as "if", is among the words of the script.
    fresh = (name for name in _names() if name not in words)
    # Two letters less for each, and the meaning is the same once the script runs.
    short = {"const": "let"} | {word: next(fresh) for word in renamed if len(word) > 2}
    return "".join(short.get(text, text) if kind == "word" else text for kind, text, _ in tokens)


def _tokens(script: str) -> Iterator[Token]:
    """Yield the pieces of ``script``, including the fixed texts of its templates."""
    at, brackets, last = 0, [""], Token("sign", "")
    while at < len(script):
        is_pattern = script[at] == "/" and last.kind == "sign" and last.text not in ")]}"
        if brackets[-1] == "`":
            kind, match = "text", TEMPLATE.match(script, at)
        elif is_pattern:
            kind, match = "text", PATTERN.match(script, at)
        else:
            match = TOKEN.match(script, at)
            kind = str(match and match.lastgroup)
        if match is None:
            raise ValueError(f"cannot parse: {script[at : at + 40]}")
        text, at = match[0], match.end()
        if (kind == "sign" and text in "([{`") or text.endswith("${"):
            is_block = text == "{" and last.text in BEFORE_BLOCK
            brackets.append("block" if is_block else text[-1])
        elif (kind == "sign" and text in ")]}") or (brackets[-1] == "`" and text.endswith("`")):
            brackets.pop()
        token = Token(kind, text, brackets[-1])
        if kind != "blank":
            last = token
        yield token


def _named(solid: list[Token]) -> set[str]:
    """Return what is, or may be, the name of a property somewhere."""
    named: set[str] = set()
    end = Token("sign", "")
    for before, token, after in zip(solid, solid[1:], [*solid[2:], end], strict=False):
        is_key = token.inside == "{" and before.text in {"{", ","} and after.text in set(":,}=(")
        if before.text in {".", "?."} or is_key:
            named.add(token.text)
    return named


def _names() -> Iterator[str]:
    for length in count(1):
        for letters in product(ascii_letters, repeat=length):
            yield "".join(letters)
