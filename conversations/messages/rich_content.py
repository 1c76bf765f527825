"""Rich content in messages of bots and of the API: choices and cards.

It is structured data beside the text. The stored text contains all of it in plain words too, for
mails, searches, exports and programs that do not support rich content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from accounts.models.websites import is_among
from conversations.messages.validators import check_body
from core import web_addresses
from core.rejection import Rejected
from core.text.cleaning import line

CHOICES, CHOICE_LENGTH = 8, 80
CARDS, TITLE_LENGTH, TEXT_LENGTH = 6, 100, 400
LINKS, LINK_LENGTH = 3, 40
URL_LENGTH = 2000
URL = re.compile(r"https?://[^\s\x00-\x1f<>\"'\\]+")

RichContent = dict[str, Any]


def check_rich_content(
    body: object, choices: object, cards: object, *, domains: Iterable[str]
) -> tuple[str, RichContent | None]:
    """Return the text to store and the offer, or ``None`` without choices and cards. Pictures may
    come only from the website's ``domains``: no other host learns who reads them (ASVS 14.2.1)."""
    offered_choices = [_one_line(one, CHOICE_LENGTH) for one in _list(choices, CHOICES, "choices")]
    if len(set(offered_choices)) < len(offered_choices):
        raise _invalid(_("Two choices are the same."))
    offered_cards = [_card(one, domains) for one in _list(cards, CARDS, "cards")]
    if not offered_choices and not offered_cards:
        return check_body(body), None
    # Cards can stand alone; choices without a question cannot.
    text = check_body(body) if body or not offered_cards else ""
    offer: RichContent = {"text": text, "choices": offered_choices, "cards": offered_cards}
    return check_body(as_text(offer)), offer


def as_text(offer: RichContent) -> str:
    """Return the whole offer in plain words."""
    paragraphs = [offer["text"]]
    for card in offer["cards"]:
        links = [f"{link['text']}: {link['url']}" for link in card["links"]]
        paragraphs.append("\n".join(filter(None, [card["title"], card["text"], *links])))
    paragraphs.append("\n".join(f"• {choice}" for choice in offer["choices"]))
    return "\n\n".join(filter(None, paragraphs))


def of_lines(text: str, lines: str) -> tuple[str, RichContent | None]:
    """Return an offer with a choice for each of ``lines``, as entered in the administration."""
    return check_rich_content(
        text, [line for line in lines.splitlines() if line.strip()], [], domains=()
    )


def _card(value: object, domains: Iterable[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) - {"title", "text", "image", "links"}:
        raise _invalid(_("A card has a title, text, an image and links."))
    text = value.get("text") or ""
    image = value.get("image") or ""
    if image and not is_among(web_addresses.host_of(_url(image)), domains):
        raise _invalid(_("The image of a card must be on one of the website’s domains."))
    return {
        "title": _one_line(value.get("title"), TITLE_LENGTH),
        "text": _within(check_body(text), TEXT_LENGTH) if text else "",
        "image": image,
        "links": [_link(one) for one in _list(value.get("links"), LINKS, "links")],
    }


def _link(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or set(value) != {"text", "url"}:
        raise _invalid(_("A link has text and a URL."))
    return {"text": _one_line(value["text"], LINK_LENGTH), "url": _url(value["url"])}


def _url(value: object) -> str:
    is_fit = isinstance(value, str) and URL.fullmatch(value) and web_addresses.parse(value)
    if not is_fit:
        raise _invalid(_("An address must start with http:// or https://."))
    return _within(str(value), URL_LENGTH)


def _list(value: object, most: int, name: str) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _invalid(_("%(name)s must be a list.") % {"name": name})
    if len(value) > most:
        raise _invalid(_("The limit is %(n)d %(name)s.") % {"n": most, "name": name})
    return value


def _one_line(value: object, most: int) -> str:
    return _within(line(check_body(value)), most)


def _within(text: str, most: int) -> str:
    if len(text) > most:
        raise _invalid(
            _("“%(text)s …” is longer than %(n)d characters.") % {"text": text[:20], "n": most}
        )
    return text


def _invalid(sentence: str) -> Rejected:
    return Rejected("invalid", sentence, 400)
