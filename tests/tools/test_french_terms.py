"""French texts use the terms of docs/glossary.md, and no others for the same things."""

from __future__ import annotations

import re

import polib
import pytest

from config.management.commands import demo
from messenger.website_texts import DEFAULTS
from tools import messages

OTHER_WORDS = {
    "pupitre": r"\b[Dd]esks?\b|\b(un|le|du|sur son|sur votre) bureau\b(?! de poste)",
    "clôturer": r"\b[Cc]l(ore|os|oses?|ôt|orons|orez)\b|conversation (est )?(fermée|terminée)",
    "clôturer, for a conversation": r"\bse (ferme|fermera) d’elle-même|\b[Ff]ermée par\b",
    "mettre en pause": r"\b([Mm]ise|[Mm]ettre|[Mm]ettez) en veille\b",
    "enquête": r"\b[Qq]uestionnaires?\b",
    "responsable": r"\b[Mm]anagers?\b",
    "bot": r"\b[Rr]obots?\b",
    "en communication, for a call": r"\bdéjà en ligne\b|^En ligne avec",
}
NOT_A_TERM = {"Desktop notification", "Desktop"}


def french_texts() -> dict[str, str]:
    """Return every text in French by the place where a translator would look for it."""
    entries = [entry for path in messages.files() for entry in polib.pofile(str(path))]
    texts = {
        f"{entry.msgid!r} [{number}]": text
        for entry in entries
        if entry.msgid not in NOT_A_TERM
        for number, text in enumerate([entry.msgstr, *entry.msgstr_plural.values()])
    }
    guide = (messages.ROOT / "docs/guide/fr.md").read_text("utf-8")
    addresses = re.compile(r"\]\([^)]*\)")
    texts |= {f"visitors' text {name!r}": text for name, text in DEFAULTS["fr"].items()}
    texts |= {
        f"reply of the demo {name!r}": f"{name}: {body}"
        for language, _shortcut, _folder, name, body in demo.REPLIES
        if language == "fr"
    }
    return texts | {
        f"guide, line {number}": addresses.sub("]", line)
        for number, line in enumerate(guide.splitlines(), start=1)
    }


@pytest.mark.parametrize("term", OTHER_WORDS)
def test_one_french_term_is_used_for_each_thing(term: str) -> None:
    other = re.compile(OTHER_WORDS[term])
    assert not {place: text for place, text in french_texts().items() if other.search(text)}
