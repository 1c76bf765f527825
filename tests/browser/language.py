"""The texts of the interface in one language, and those of the other that must not appear."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

import polib

CATALOGUE = Path(__file__).resolve().parents[2] / "locale/fr/LC_MESSAGES/django.po"
HOLE = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
FILLED = r"\S+(?: [A-ZÀ-Ý]\S*)*"  # a number, or a name of any length
WORD = re.compile(r"[^\W\d_]{4,}")  # "de" between two holes would match half the language


class Language:
    """English is the catalogue's msgid, French its msgstr."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = {"en": "en-GB", "fr": "fr-FR"}[language]

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """All texts of the interface and of a website's defaults, English and French."""
        # Models cannot be imported when this file is imported.
        from messenger.website_texts import DEFAULTS

        texts = [(DEFAULTS["en"][name], DEFAULTS["fr"][name]) for name in DEFAULTS["en"]]
        for entry in polib.pofile(str(CATALOGUE)):
            if entry.msgid_plural:
                texts.append((entry.msgid, entry.msgstr_plural[0]))
                texts.append((entry.msgid_plural, entry.msgstr_plural[1]))
            else:
                texts.append((entry.msgid, entry.msgstr))
        return texts

    def __call__(self, msgid: str) -> str:
        """Return a text of the interface in this language."""
        return msgid if self.language == "en" else dict(self.pairs)[msgid]

    @cached_property
    def own(self) -> set[str]:
        return {pair[0 if self.language == "en" else 1] for pair in self.pairs}

    @cached_property
    def foreign(self) -> list[re.Pattern[str]]:
        """Patterns of the other language's texts that are not also texts of this one."""
        others = {pair[1 if self.language == "en" else 0] for pair in self.pairs} - self.own
        return [
            re.compile(FILLED.join(re.escape(part) for part in HOLE.split(text)))
            for text in others
            if WORD.search(HOLE.sub("", text))
        ]

    def misses(self, texts: list[str]) -> list[str]:
        """Return those of ``texts`` that are in the other language."""
        return [
            text
            for text in texts
            if text not in self.own and any(pattern.fullmatch(text) for pattern in self.foreign)
        ]
