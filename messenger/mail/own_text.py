"""Our own text, to recognize it in a quote: the only text that the person who replies has certainly
not written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from messenger.mail import html_text

# The line above our e-mail in a reply to it.
DELIMITER = "##-"

LINKS = re.compile(r"https?://[^\s<>\])\"']+", re.IGNORECASE)

SHORT = 12
"""A line of fewer letters is recognized only as a whole line, or as the end of one."""

NAME_LENGTH = 3

_ADDRESSES = re.compile(
    r"<?(?:https?://|mailto:|cid:)[^\s<>\]]*>?|\[(?:cid:|image ?:|https?:)[^\]]*\]", re.IGNORECASE
)


def squash(text: str) -> str:
    """Return the letters, digits and pictographs of a text.

    They survive wrapping, quoting and punctuation. Web addresses do not, and are left out.
    """
    bare = unicodedata.normalize("NFKC", _ADDRESSES.sub(" ", text)).casefold()
    if bare.isascii():
        return "".join(one for one in bare if one.isalnum())
    return "".join(one for one in bare if unicodedata.category(one)[0] in "LNM" or _is_drawn(one))


def _is_drawn(character: str) -> bool:
    return unicodedata.category(character) == "So"


def _page(link: str) -> str:
    """Return a link without the part that differs between our e-mails: the word behind ``#``."""
    page, _mark, _word = html_text.unwrapped(link).partition("#")
    return page.rstrip("/").casefold()


@dataclass(frozen=True, slots=True)
class OwnText:
    """``spoken`` are the messages of the conversation, ``frame`` is the text of our e-mails around
    them.

    If nothing is known (as for an e-mail read before its conversation is found), everything that
    looks like a quote counts as one.
    """

    addresses: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    spoken: str = ""
    frame: str = ""
    lines: frozenset[str] = field(default=frozenset(), repr=False)
    links: frozenset[str] = field(default=frozenset(), repr=False)

    @classmethod
    def of(
        cls,
        *,
        addresses: Iterable[str],
        names: Iterable[str],
        spoken: Iterable[str],
        frame: Iterable[str],
    ) -> OwnText:
        spoken_lines, around = list(spoken), list(frame)
        lines = {squash(line) for text in (*spoken_lines, *around) for line in text.split("\n")}
        named = {name.casefold() for name in names if len(name) >= NAME_LENGTH}
        return cls(
            addresses=frozenset(address.lower() for address in addresses if address),
            names=tuple(sorted(named)),
            spoken="\n".join(squash(text) for text in spoken_lines),
            frame="\n".join(squash(text) for text in around),
            lines=frozenset(lines - {""}),
            links=frozenset(
                _page(link) for text in (*spoken_lines, *around) for link in LINKS.findall(text)
            ),
        )

    @property
    def is_known(self) -> bool:
        return bool(self.spoken)

    def is_named_in(self, text: str) -> bool:
        """Return whether an attribution line names us, or the visitor."""
        words = " ".join(text.split()).casefold()
        return any(one in words for one in (*self.addresses, *self.names))

    def has(self, line: str, *, before: str = "") -> bool:
        """Return whether a quoted line is ours; ``before`` is the quoted line above it."""
        letters = squash(line)
        if not letters:
            return all(_page(link) in self.links for link in LINKS.findall(line))
        if letters in self.lines:
            return True
        if len(letters) >= SHORT:
            return letters in self.spoken or letters in self.frame
        # A short line may be the end of a longer one of ours that was wrapped.
        wrapped = squash(before)[-60:] + letters
        return len(wrapped) >= SHORT and (wrapped in self.spoken or wrapped in self.frame)

    def continues_link(self, line: str, *, above: str) -> bool:
        """Return whether a line is the rest of our link that was wrapped in the line ``above``."""
        begun = LINKS.findall(above)
        rest = line.strip().rstrip(">")
        if not begun or " " in rest or not above.rstrip().endswith(begun[-1]):
            return False
        is_word = "#" in begun[-1] and ":" in begun[-1] + rest
        return _page(begun[-1] + rest) in self.links and ("#" not in begun[-1] or is_word)

    def was_said(self, line: str) -> bool:
        """Return whether a line is part of a message, not of the e-mail around it."""
        letters = squash(line)
        return bool(letters) and letters in self.spoken
