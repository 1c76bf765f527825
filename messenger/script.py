"""``embed.js``, put together from its parts and made small: each page of a brand pays for it."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

from rjsmin import jsmin

HEAD = Path(__file__).resolve().parent.parent / "static" / "messenger" / "embed.js"
ROOM = HEAD.parent / "embed"
# In this order: what stands at their top level runs in it.
PARTS = [ROOM / f"{name}.js" for name in ("commands", "page", "button", "frame", "start")]
STYLE = ROOM / "style.css"
COMMENTS = re.compile(r"/\*.*?\*/", re.DOTALL)
BLANKS = re.compile(r"\s*([{};:,])\s+")


def tag() -> str:
    """Another one whenever a part has changed."""
    stats = [path.stat() for path in (HEAD, STYLE, *PARTS)]
    return f'"{max(one.st_mtime_ns for one in stats):x}-{sum(one.st_size for one in stats):x}"'


@lru_cache(maxsize=1)
def script(_tag: str) -> bytes:
    """Without comments, and without the blanks of its style (B14)."""
    style = BLANKS.sub(r"\1", COMMENTS.sub("", STYLE.read_text())).strip()
    parts = "\n".join(path.read_text() for path in PARTS)
    whole = HEAD.read_text().replace('"%STYLE%"', json.dumps(style)).replace('"%PARTS%";', parts)
    small: str = jsmin(whole)
    return small.encode()
