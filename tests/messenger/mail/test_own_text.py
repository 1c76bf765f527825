"""All words that a person writes above, below or inside our mail are in the message, however a mail
program quotes it, and nothing of our frame is."""

from __future__ import annotations

import quopri
import re
import textwrap
from collections.abc import Callable
from email.message import EmailMessage
from html import escape

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from messenger.mail import quotes
from messenger.mail.own_text import squash
from messenger.mail.parsing import parse
from tests.messenger.mail.test_recognition import EMAILS, OWN, REPLY_TO

SENT = (EMAILS / "sent.txt").read_text().rstrip("\n").split("\n")
SENT_HTML = (EMAILS / "sent.htm").read_text()
ASKED = SENT.index("Souhaitez-vous le pied en laiton ou en acier ?") + 1

SENTENCES = [
    "Warning: the lamp gets hot.",
    "De : Paris",
    "À : Lyon",
    "Date : lundi 5 mars 2035 à 10:30",
    "Le livreur m'a écrit :",
    "On Friday the courier wrote:",
    "Cordialement,",
    "Jeanne Martin",
    "PS : et le pied ?",
    "--",
    "-----",
    "Thanks, but the lamp is broken",
    "My order is 4711.",
    "Sent from Paris by train",
    "Get my parcel back",
    "https://www.example.com/suivi?n=4711",
    "noreply@dhl.example a répondu",
    "Я заказал лампу №4711",
    "灯坏了，怎么办",
    "This message is confidential",
    "1) oui  2) non",
    "10:30",
    "> 5 euros, non ?",
]
LINES = st.one_of(
    st.sampled_from(SENTENCES),
    st.text("abcdefghijklmnopqrstuvwxyzéçœßABC 0123456789.,:;!?'-()€", min_size=8, max_size=70),
)
LETTERS = st.lists(LINES, min_size=1, max_size=6).map("\n".join)

SAID = f"Le lun. 5 mars 2035 à 10:06, Maison Céleste <\n{REPLY_TO}> a écrit\u202f:"
HEADERS = (
    f"________________________________\nDe : Maison Céleste <{REPLY_TO}>\n"
    "Envoyé : lundi 5 mars 2035 10:06\nÀ : jeanne@example.org\nObjet : Alice vous a répondu\n"
)


def marked(lines: list[str], width: int = 72) -> str:
    wrapped = [
        piece
        for line in lines
        for piece in textwrap.wrap(line, width, break_long_words=False) or [""]
    ]
    return "\n".join(f"> {line}".rstrip() for line in wrapped)


def mail(text: str, kind: str = "plain") -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "jeanne@example.org", "Re: Alice vous a répondu"
    message.set_content(text, subtype=kind, charset="utf-8", cte="base64")
    return message.as_bytes()


def page(words: str) -> str:
    return "".join(f"<div>{escape(line)}</div>" for line in words.split("\n"))


SHAPES: dict[str, Callable[[str], bytes]] = {
    "above": lambda words: mail(f"{words}\n\n{SAID}\n\n{marked(SENT)}\n"),
    "below": lambda words: mail(f"{SAID}\n{marked(SENT)}\n\n{words}\n"),
    "between": lambda words: mail(
        f"{SAID}\n{marked(SENT[:ASKED])}\n\n{words}\n\n{marked(SENT[ASKED:])}\n"
    ),
    "inside, marked": lambda words: mail(
        f"{marked([SAID, *SENT[:ASKED], '', *words.split(chr(10)), '', *SENT[ASKED:]], 200)}\n"
    ),
    "Outlook, above": lambda words: mail(f"{words}\n\n{HEADERS}\n" + "\n".join(SENT)),
    "Outlook, below": lambda words: mail(f"{HEADERS}\n" + "\n".join([*SENT, "", words])),
    "Outlook, inside": lambda words: mail(
        f"{HEADERS}\n" + "\n".join([*SENT[:ASKED], "", words, "", *SENT[ASKED:]])
    ),
    "Gmail, HTML": lambda words: mail(
        f'<div dir="ltr">{page(words)}</div><br><div class="gmail_quote"><div class="gmail_attr">'
        f"{escape(SAID)}</div><blockquote>{SENT_HTML}</blockquote></div>",
        "html",
    ),
    "Thunderbird, HTML, below": lambda words: mail(
        f'<div class="moz-cite-prefix">{escape(SAID)}</div><blockquote type="cite">{SENT_HTML}'
        f"</blockquote>{page(words)}",
        "html",
    ),
    "Outlook, HTML": lambda words: mail(
        f'{page(words)}<div id="appendonsend"></div><hr><div id="divRplyFwdMsg">'
        f"{escape(HEADERS).replace(chr(10), '<br>')}</div><div>{SENT_HTML}</div>",
        "html",
    ),
}


def pieces(text: str) -> list[str]:
    return re.findall(r"\w+", text)


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=60, deadline=None)
@given(words=LETTERS)
def test_no_text_of_the_author_is_lost(shape: str, words: str) -> None:
    assume(squash(words))
    # A line with only our own text, or less than a word, cannot be distinguished from ours.
    assume(not any(OWN.has(line) for line in words.split("\n") if squash(line)))
    text = quotes.words(parse(SHAPES[shape](words)).text, OWN)
    assert pieces(words) == [one for one in pieces(text) if one in set(pieces(words))]


@pytest.mark.parametrize("shape", SHAPES)
def test_our_quoted_mail_is_removed(shape: str) -> None:
    words = "Le pied en laiton.\n\nMon numéro est 4711."
    text = quotes.words(parse(SHAPES[shape](words)).text, OWN)
    for frame in (
        "##-",
        REPLY_TO,
        "Objet",
        "a écrit",
        "Ne plus recevoir",
        "causerie=",
        "Continuer",
    ):
        assert frame not in text
    assert "Mon numéro est 4711." in text


def test_quoted_printable_mails_are_decoded() -> None:
    raw = (
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
    )
    words = "Déjà payé, 50 = le prix"
    assert parse(raw + quopri.encodestring(words.encode())).body == words
