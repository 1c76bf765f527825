"""The Messenger's scripts and styles for browsers, bundled from static/ and minified.

``embed.js`` goes to every page view of a brand (B14). The page in the iframe gets its modules as
one script and its style sheets as one: thirty small responses would cost twice the bytes, and a
round trip each.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rjsmin import jsmin

from messenger.shortening import shorten

STATIC = Path(__file__).resolve().parent.parent / "static"
ROOM = STATIC / "messenger"
HEAD, LOOKS = ROOM / "embed.js", ROOM / "embed" / "style.css"
# The order matters: their top-level code runs in it.
PARTS = [ROOM / "embed" / f"{name}.js" for name in ("commands", "page", "button", "frame", "start")]
SHEETS = [
    ROOM / f"{name}.css"
    for name in ("messenger", "dialogue", "attached", "offered", "cards", "settings", "composer")
]
ENTRY = ROOM / "messenger.js"
RECORDER = STATIC / "mirror" / "recorder.js"
RRWEB = STATIC / "vendor" / "rrweb" / "record.js"
COMMENTS = re.compile(r"/\*.*?\*/", re.DOTALL)
BLANKS = re.compile(r"\s*([{};,])\s*|(?<=:)\s+|\s+(?=\s)")
IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?function|class|const) (\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sent:
    """A response for browsers, compressed once for all of them, since nothing in it is secret."""

    plain: bytes
    zipped: bytes

    @classmethod
    def of(cls, text: str) -> Sent:
        plain = text.encode()
        return cls(plain, gzip.compress(plain, mtime=0))


def tag() -> str:
    """Return a tag that changes whenever a file of the bundles changes."""
    paths = [HEAD, LOOKS, *PARTS, *SHEETS, *ROOM.glob("*.js"), *(STATIC / "shared").glob("*.js")]
    paths += [*(STATIC / "mirror").glob("*.js"), RRWEB]
    stats = [path.stat() for path in paths]
    return f"{max(one.st_mtime_ns for one in stats):x}-{sum(one.st_size for one in stats):x}"


@lru_cache(maxsize=1)
def embed(_tag: str) -> Sent:
    parts = "\n".join(path.read_text() for path in PARTS)
    looks = json.dumps(_small(LOOKS.read_text()))
    whole = HEAD.read_text().replace('"%STYLE%"', looks).replace('"%PARTS%";', parts)
    return Sent.of(shorten(jsmin(whole)))


@lru_cache(maxsize=1)
def page_style(_tag: str) -> Sent:
    return Sent.of("".join(_small(path.read_text()) for path in SHEETS))


@lru_cache(maxsize=1)
def page_script(_tag: str) -> Sent:
    return Sent.of(jsmin(_bundled(ENTRY)))


@lru_cache(maxsize=1)
def recorder(_tag: str) -> Sent:
    """Return the script that records a page (R59): rrweb, which thus becomes no global name of the
    page, and our modules."""
    return Sent.of(
        "(() => {\nconst library = {};\n"
        f"(function () {{ let exports, module, define;\n{RRWEB.read_text()}\n}}).call(library);\n"
        f"const rrweb = library.rrwebRecord;\n{jsmin(_bundled(RECORDER))}\n}})();"
    )


def _bundled(entry: Path) -> str:
    """Bundle a module with its imports, each in a function, before those that import it.

    It understands only ``import {names} from`` and ``export`` of a declaration.
    """
    names: dict[Path, str] = {}
    parts: list[str] = []

    def add(path: Path) -> str:
        if path in names:
            return names[path]
        text = IMPORT.sub(lambda match: bind(path, match), path.read_text())
        given = ", ".join(name for _, name in EXPORT.findall(text))
        names[path] = f"module{len(names)}"
        body = EXPORT.sub(r"\1 \2", text)
        parts.append(f"const {names[path]} = (() => {{\n{body}\nreturn {{ {given} }};\n}})();")
        return names[path]

    def bind(path: Path, match: re.Match[str]) -> str:
        wanted = match[1].strip().replace(" as ", ": ")
        return f"const {{ {wanted} }} = {add((path.parent / match[2]).resolve())};"

    add(entry)
    return "\n".join(parts)


def _small(sheet: str) -> str:
    short = BLANKS.sub(lambda match: match[1] or "", COMMENTS.sub("", sheet)).strip()
    return short.replace(";}", "}")
