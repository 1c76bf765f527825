"""The messages made of an e-mail: its words in parts of limited length, and a line about what could
not be included.
"""

from __future__ import annotations

import mimetypes
import re

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.messages.validators import BODY_LIMIT, check_body
from conversations.models import Conversation
from core.rejection import Rejected
from messenger.mail import quotes
from messenger.mail.files import File
from messenger.mail.own_text import OwnText
from messenger.mail.parsing import Incoming
from messenger.mail.recognition import own_text_of
from messenger.website_texts import language_among

PARTS = 10
NAMED = 10

_ANSWERS = re.compile(
    r"(?:(?:re|ref|aw|antw|rép|tr|fwd?|wg|sv|vs|vb|rv|res|rif|odp|ynt|回复|答复)\s*(?:\[\d+\])?\s*[:：]\s*)+",
    re.IGNORECASE,
)


def pieces_of(incoming: Incoming, conversation: Conversation) -> list[str]:
    """Return the messages for an e-mail; none if it says nothing."""
    language = language_among(conversation.language, conversation.website.language)
    own = own_text_of(conversation)
    with translation.override(language):
        parts, is_whole = split(words_of(incoming, own))
        if incoming.files:
            parts.append(_about_files(incoming.files))
        if not incoming.is_whole or not is_whole:
            parts.append(
                _("[The rest of this e-mail is too long to show here]")
                if parts
                else _("[This e-mail cannot be shown here]")
            )
    return parts


def words_of(incoming: Incoming, own: OwnText) -> str:
    """Return what the person wrote, in the e-mail or else in its subject."""
    words = quotes.words(incoming.text, own)
    if words or incoming.files:
        return words
    subject = _ANSWERS.sub("", incoming.subject, count=1).strip()
    return "" if own.has(subject) else subject


def _about_files(files: tuple[File, ...]) -> str:
    sentence = ngettext(
        "[%(n)d file attached to this e-mail was not added: %(names)s]",
        "[%(n)d files attached to this e-mail were not added: %(names)s]",
        len(files),
    )
    names = [_name(file, number) for number, file in enumerate(files[:NAMED], 1)]
    names += ["…"] if len(files) > NAMED else []
    return sentence % {"n": len(files), "names": ", ".join(names)}


def _name(file: File, number: int) -> str:
    if file.name:
        return file.name
    main = file.kind.partition("/")[0]
    named = {"image": _("picture"), "audio": _("recording"), "video": _("video")}.get(
        main, _("file")
    )
    return f"{named} {number}{mimetypes.guess_extension(file.kind) or ''}"


def split(text: str) -> tuple[list[str], bool]:
    """Split ``text`` into messages of at most ``BODY_LIMIT`` characters, at line ends if possible.

    Also return whether ``PARTS`` messages hold all of it.
    """
    parts: list[str] = []
    rest = text
    while rest and len(parts) < PARTS:
        piece = rest[:BODY_LIMIT]
        if len(rest) > BODY_LIMIT:
            end = max(piece.rfind("\n"), piece.rfind(" "))
            # A break in the first half would make many short messages of a text without lines.
            piece = piece[:end] if end > BODY_LIMIT // 2 else piece
        rest = rest[len(piece) :].lstrip()
        try:
            parts.append(check_body(piece))
        except Rejected:
            continue  # Nothing readable in this piece.
    return parts, not rest
