"""Unwrapping of ``format=flowed`` text (RFC 3676): a final space means that the line continues."""

from __future__ import annotations

import re

_MARKS = re.compile(r">*")
SIGNATURE = "-- "


def rejoin(text: str, *, delete_space: bool = False) -> str:
    """Return ``text`` with each paragraph on one line; quoted ones retain their marks.

    ``delete_space`` is the parameter DelSp: the final space was added, not typed.
    """
    joined: list[str] = []
    before: tuple[str, str] | None = None  # marks and words of a line that continues
    for line in text.split("\n"):
        match = _MARKS.match(line)
        marks = match[0] if match else ""
        words = line[len(marks) :].removeprefix(" ")  # space-stuffed
        is_signature = words == SIGNATURE
        if before is not None and (before[0] != marks or is_signature):
            joined.append(_quoted_line(*before))
            before = None
        if before is not None:
            words = before[1] + words
        if words.endswith(" ") and not is_signature:
            before = (marks, words[:-1] if delete_space else words)
            continue
        joined.append(_quoted_line(marks, words))
        before = None
    if before is not None:
        joined.append(_quoted_line(*before))
    return "\n".join(joined)


def _quoted_line(marks: str, words: str) -> str:
    if marks:
        return f"{marks} {words}".rstrip() if words != SIGNATURE else f"{marks} {words}"
    return words if words == SIGNATURE else words.rstrip(" ")
