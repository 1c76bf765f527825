"""People are "they" in every English text that is shown on a screen or sent in a mail."""

from __future__ import annotations

import polib

from messenger.website_texts import DEFAULTS
from tools import messages
from tools.sizes import PRONOUNS

ROOT = messages.ROOT


def test_no_text_has_gendered_pronouns() -> None:
    texts = {
        text
        for path in messages.files()
        for entry in polib.pofile(str(path))
        for text in (entry.msgid, entry.msgid_plural)
    }
    texts |= set(DEFAULTS["en"].values())
    texts.add((ROOT / "docs/guide/en.md").read_text("utf-8"))
    texts |= {path.read_text("utf-8") for path in (ROOT / "templates").rglob("*.*")}
    assert not {text for text in texts if PRONOUNS.search(text)}
