"""Composition of an e-mail: headers, HTML with inline styles, and plain text."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.utils import format_datetime, parseaddr
from functools import cached_property

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from conversations.models import (
    Author,
    Conversation,
    Message,
    MessageTranslation,
    TranslationState,
)
from conversations.visitors import persons
from core import web_addresses
from messenger.colours import text_on
from messenger.mail.links import word_for
from messenger.mail.own_text import DELIMITER
from messenger.mail.reply_addresses import reply_address
from messenger.mail.unsubscribing import unsubscribe_url
from messenger.models import Mail, MailKind
from messenger.website_texts import language_among, texts_of

SHOWN = 10
"""The maximum number of messages in an e-mail; the others are counted."""

BEFORE = 3
"""How many of them are older than the news, for context."""

BODY_LIMIT = 1500
NAME_LIMIT = 78

# Many mail programs ignore style sheets. Nothing is fetched for them.
_inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class MailMessage:
    """One message in the e-mail."""

    name: str
    body: str
    at: datetime
    is_visitor: bool


class Composed:
    """One e-mail, composed from its row as it is now."""

    def __init__(self, mail: Mail) -> None:
        self.mail = mail
        self.conversation: Conversation = mail.conversation
        self.website = self.conversation.website
        self.language = language_among(self.conversation.language, self.website.language)

    def message(self) -> EmailMultiAlternatives:
        with translation.override(self.language), timezone.override(self.website.zone):
            context = self._context()
            template = f"mail/{self.mail.kind}"
            html = _inliner.inline(render_to_string(f"{template}.html", context))
            message = EmailMultiAlternatives(
                subject=one_line(str(context["subject"])),
                body=render_to_string(f"{template}.txt", context),
                from_email=self.sender,
                to=[self.mail.to],
                headers=self._headers(),
            )
        if self.reply_to:
            message.reply_to = [str(_address(self.brand, self.reply_to))]
        message.attach_alternative(html, "text/html")
        return message

    def texts(self) -> tuple[str, str, str]:
        """Return subject, plain text and HTML, to recognize them in a reply; without styles."""
        with translation.override(self.language), timezone.override(self.website.zone):
            context = self._context()
            template = f"mail/{self.mail.kind}"
            plain, html = (
                render_to_string(f"{template}.{kind}", context) for kind in ("txt", "html")
            )
            return str(context["subject"]), plain, html

    @cached_property
    def brand(self) -> str:
        own = getattr(self.website, "sender", None)
        return one_line((own and own.name) or self.website.name)

    @cached_property
    def sender(self) -> str:
        """The brand's name with its own address, or else with the installation's (R17)."""
        own = getattr(self.website, "sender", None)
        email = (own and own.email) or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        return str(_address(self.brand, email))

    @cached_property
    def reply_to(self) -> str:
        return reply_address(self.conversation.public_id)

    @property
    def _domain(self) -> str:
        return parseaddr(self.sender)[1].rpartition("@")[2]

    def _headers(self) -> dict[str, str]:
        kind = "auto-replied" if self.mail.kind == MailKind.CLOSED else "auto-generated"
        unsubscribe = unsubscribe_url(self.mail)
        return {
            "Message-ID": f"<{self.mail.public_id}@{self._domain}>",
            "Date": format_datetime(self.mail.created_at),
            # One thread in the mail program for each conversation.
            "References": f"<{self.conversation.public_id}@{self._domain}>",
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
            "Auto-Submitted": kind,  # RFC 3834
            "X-Auto-Response-Suppress": "All",
        }

    def _context(self) -> dict[str, object]:
        lines, more = self._lines()
        # The last who wrote, for the subject.
        agent = next((line.name for line in reversed(lines) if not line.is_visitor), self.brand)
        if self.mail.kind == MailKind.CLOSED:
            subject = _("Your conversation with %(brand)s is closed") % {"brand": self.brand}
        else:
            subject = texts_of(self.website, self.language, brand=self.brand)["notification"]
            subject = subject.replace("{agent}", agent)
        return {
            "subject": subject,
            "brand": self.brand,
            "logo": self.website.logo_url,
            "accent": self.website.accent,
            "on_accent": text_on(self.website.accent),
            "agent": agent,
            "lines": lines,
            "more": more,
            "preview": next((x.body for x in reversed(lines) if not x.is_visitor), "")[:120],
            "language": self.language,
            "is_closed": self.conversation.closed_at is not None,
            "has_survey": bool(self.website.questions)
            and self.conversation.surveys.filter(answered_at=None).exists(),
            "button_url": self._button_url(),
            "unsubscribe_url": unsubscribe_url(self.mail),
            "can_reply": bool(self.reply_to),
            "delimiter": DELIMITER,
        }

    def _lines(self) -> tuple[list[MailMessage], int]:
        """Return the news after some earlier messages (R20), and how many are left out.

        Messages that the visitor has hidden by now are excluded (C13).
        """
        spoken = self.conversation.messages.filter(seq__lte=self.mail.to_seq)
        spoken = persons.unhidden(spoken, self.conversation.visitor)
        spoken = spoken.exclude(author=Author.SYSTEM).order_by("-seq")
        spoken = spoken.select_related("agent", "attachment")
        news = spoken.filter(seq__gt=self.mail.from_seq)
        last = list(spoken[:SHOWN])
        is_new = [message.seq > self.mail.from_seq for message in last]
        shown = last[: sum(is_new) + BEFORE]
        left_out = max(0, news.count() - sum(is_new))
        return [self._line(message) for message in reversed(shown)], left_out

    def _line(self, message: Message) -> MailMessage:
        is_visitor = message.author == Author.VISITOR
        name = message.agent.display_name if message.agent else self.brand
        if message.author == Author.BOT:
            name = _("%(name)s (bot)") % {"name": self.conversation.bot_name or name}
        body = message.body
        if message.seq in self._translations:
            # The original is always there: a machine may be wrong.
            note = _("Translated by a machine. The original:")
            body = f"{self._translations[message.seq]}\n\n{note}\n{body}"
        if message.attachment is not None:
            body = f"{body}\n[{message.attachment.name}]".strip()
        if len(body) > BODY_LIMIT:
            body = body[:BODY_LIMIT].rstrip() + " …"
        return MailMessage(_("You") if is_visitor else name, body, message.created_at, is_visitor)

    @cached_property
    def _translations(self) -> dict[int, str]:
        """What the visitor reads instead of agents' messages, as far as it was there when the mail
        was owed: a reply is recognised by composing it once more."""
        rows = MessageTranslation.objects.filter(
            conversation=self.conversation,
            is_for_visitor=True,
            state=TranslationState.DONE,
            # A mail that was never sent says what it would say today.
            made_at__lte=self.mail.created_at or timezone.now(),
        )
        return dict(rows.values_list("seq", "text"))

    def _button_url(self) -> str:
        """Return the brand's page with the Messenger open on this conversation or its survey (R21,
        R22).

        The word is behind the #, so it reaches neither the brand's server nor its logs.
        """
        page = web_addresses.parse(self.conversation.page_url)
        if page is not None and self.website.allows_host(page.host):
            home = page.without_fragment
        else:
            named = [domain for domain in self.website.domains if not domain.startswith("*.")]
            home = f"https://{named[0]}/" if named else self._own_page()
        return f"{home}#causerie={word_for(self.mail)}"

    def _own_page(self) -> str:
        """Return the page of the Messenger alone, for a website without a known page."""
        return settings.PUBLIC_URL + reverse("messenger", args=[self.website.key])


def one_line(text: str) -> str:
    """Return ``text`` for a header: no line ends or control characters, not too long."""
    printable = "".join(
        " " if unicodedata.category(one) in {"Cc", "Zl", "Zp"} else one for one in text
    )
    return " ".join(printable.split())[:NAME_LIMIT]


def _address(name: str, email: str) -> HeaderAddress:
    return HeaderAddress(display_name=name, addr_spec=email)
