"""Mails as different mail programs format them: what a person wrote, and nothing else.

Each ``emails/NAME.eml`` answers the mail in ``sent.txt`` and ``sent.htm``; ``NAME.txt`` is the
message that it must become.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from messenger.mail import html_text, quotes
from messenger.mail.own_text import OwnText
from messenger.mail.parsing import parse

EMAILS = Path(__file__).parent.parent / "emails"
REPLY_TO = "reply+mfzwizltoqqgc43emfzwizltoqaaaaaaaaaaaaaaaaaaaaaaaa@in.example.com"


def own_text() -> OwnText:
    sent = (EMAILS / "sent.txt").read_text()
    shown = html_text.text_of((EMAILS / "sent.htm").read_text())
    return OwnText.of(
        addresses=[REPLY_TO, "jeanne@example.org"],
        names=["Maison Céleste", "Alice"],
        spoken=[
            "Est-ce du chêne ?",
            "Oui, le plateau est en chêne massif, huilé à la main dans notre atelier de Nantes.\n"
            "Souhaitez-vous le pied en laiton ou en acier ?",
        ],
        frame=["Alice vous a répondu", sent, shown],
    )


OWN = own_text()


@pytest.mark.parametrize("name", sorted(file.stem for file in EMAILS.glob("*.eml")))
def test_only_the_text_of_the_author_is_extracted(name: str) -> None:
    incoming = parse((EMAILS / f"{name}.eml").read_bytes())
    expected = (EMAILS / f"{name}.txt").read_text().rstrip("\n")
    assert quotes.words(incoming.text, OWN) == expected
    assert incoming.is_whole
