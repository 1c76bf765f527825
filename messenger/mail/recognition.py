"""Our own text that a reply may quote: messages of its conversation and our e-mails' frame."""

from __future__ import annotations

from collections.abc import Iterator

from conversations.messages import inbound_emails
from conversations.models import Author, Conversation
from messenger.mail import html_text
from messenger.mail.compose import Composed
from messenger.mail.headers import normalized
from messenger.mail.own_text import OwnText
from messenger.mail.reply_addresses import reply_address
from messenger.models import Mail, MailKind

MAILS = 3
MESSAGES = 500


def own_text_of(conversation: Conversation) -> OwnText:
    """Return what was written and sent in a conversation.

    It includes the visitor's own e-mails, which a reply to a reply quotes.
    """
    mails = list(_mails(conversation))
    latest = conversation.messages.exclude(author=Author.SYSTEM).select_related("agent")
    messages = list(latest.order_by("-seq")[:MESSAGES])
    composed = Composed(mails[0])
    address = getattr(conversation.visitor, "address", None)
    names = {message.agent.display_name for message in messages if message.agent}
    return OwnText.of(
        addresses=[
            reply_address(conversation.public_id),
            composed.sender.rpartition("<")[2].rstrip(">"),
            normalized(address.email) if address else "",
        ],
        names=[composed.brand, conversation.website.name, *names],
        spoken=[
            *(message.body for message in messages),
            *inbound_emails.latest_texts(conversation),
        ],
        frame=[text for mail in mails for text in _texts(mail)],
    )


def _mails(conversation: Conversation) -> Iterator[Mail]:
    """Yield the last e-mails sent, and what they would say today if none was."""
    for kind in (MailKind.ANSWER, MailKind.CLOSED):
        # Not stored: an unsaved row is enough to compose what it would say.
        yield Mail(conversation=conversation, kind=kind, to_seq=conversation.last_seq)
    sent = conversation.mails.order_by("-pk")
    yield from sent.select_related("conversation__website__sender")[:MAILS]


def _texts(mail: Mail) -> Iterator[str]:
    subject, plain, html = Composed(mail).texts()
    yield subject
    yield plain
    yield html_text.text_of(html)
