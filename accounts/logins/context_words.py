"""Refuses passwords that consist of what everybody here could guess: the product's name, those of
the websites, and the parts of the server's host names (docs/operations.md, "Passwords")."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Website

PRODUCT = "causerie"
SHORTEST_WORD = 4
"""Shorter parts of names, such as "www", are in too many good passwords."""

OTHER_CHARACTERS = 8
"""How many characters a password must have beside such words: as many as without them."""

DISGUISES = str.maketrans("013457@$!", "oieastasi")


class ContextWordValidator:
    """A validator that counts only the characters beside the words of this installation."""

    def validate(self, password: str, user: object = None) -> None:
        if is_made_of(words(), password):
            raise ValidationError(
                _("This password contains a name that is easy to guess here. Choose another one."),
                code="password_context",
            )

    def get_help_text(self) -> str:
        return _("Your password can’t consist of the product’s or a website’s name.")


def words() -> set[str]:
    """Return the words of this installation that a password must not be made of, folded."""
    names = [PRODUCT, *Website.objects.values_list("name", flat=True), *settings.ALLOWED_HOSTS]
    parts = (part for name in names for part in re.split(r"[\W_]+", name))
    whole = (re.sub(r"[\W_]+", "", name) for name in names)
    folded = {fold(word) for word in (*parts, *whole)}
    return {word for word in folded if len(word) >= SHORTEST_WORD}


def is_made_of(words: Iterable[str], password: str) -> bool:
    """Return whether a password contains such words and too little beside them."""
    rest = fold(password)
    before = len(rest)
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return len(rest) < min(before, OTHER_CHARACTERS)


def fold(text: str) -> str:
    """Return the text without case, accents and the usual disguises of letters."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(one for one in plain if not unicodedata.combining(one))
    return bare.translate(DISGUISES)
