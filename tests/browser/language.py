"""What the interface says in one language, and what of the other must not be heard beside it."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

import polib

CATALOGUE = Path(__file__).resolve().parents[2] / "locale/fr/LC_MESSAGES/django.po"
HOLE = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
FILLED = r"\S+(?: [A-ZÀ-Ý]\S*)*"  # a figure, or a name of any length
WORD = re.compile(r"[^\W\d_]{4,}")  # "de" between two holes would match half the language


class Language:
    """English is the catalogue's left side, French its right."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = {"en": "en-GB", "fr": "fr-FR"}[language]

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """All texts of the interface and of a website's defaults, English and French."""
        from messenger.website_texts import DEFAULTS  # Models cannot be imported when this file is.

        found = [(DEFAULTS["en"][name], DEFAULTS["fr"][name]) for name in DEFAULTS["en"]]
        for entry in polib.pofile(str(CATALOGUE)):
            if entry.msgid_plural:
                found.append((entry.msgid, entry.msgstr_plural[0]))
                found.append((entry.msgid_plural, entry.msgstr_plural[1]))
            else:
                found.append((entry.msgid, entry.msgstr))
        return found

    def __call__(self, msgid: str) -> str:
        """A text of the interface, as people of this language read it."""
        return msgid if self.language == "en" else dict(self.pairs)[msgid]

    @cached_property
    def own(self) -> set[str]:
        return {pair[0 if self.language == "en" else 1] for pair in self.pairs}

    @cached_property
    def foreign(self) -> list[re.Pattern[str]]:
        """Texts of the other language that are none of this one."""
        others = {pair[1 if self.language == "en" else 0] for pair in self.pairs} - self.own
        return [
            re.compile(FILLED.join(re.escape(part) for part in HOLE.split(text)))
            for text in others
            if WORD.search(HOLE.sub("", text))
        ]

    def misses(self, texts: list[str]) -> list[str]:
        """Those of ``texts`` that are said in the other language."""
        return [
            text
            for text in texts
            if text not in self.own and any(pattern.fullmatch(text) for pattern in self.foreign)
        ]
