"""The connector of e-mail: answers leave by the installation's mail server, from the inbox's own
address, in the thread of the person's mail."""

from __future__ import annotations

import email
import smtplib
from collections.abc import Sequence
from email.headerregistry import Address
from email.utils import formatdate

from django.core.files.storage import default_storage
from django.core.mail import EmailMessage, get_connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from conversations.inboxes.kinds import Limits
from conversations.models import InboundEmail, InboundMessage, Inbox, OutboundMessage
from messenger.channels.connector import (
    Connector,
    Disconnected,
    Forged,
    Incoming,
    Later,
    Outgoing,
    Receipt,
    RemoteFile,
    Request,
    Setting,
    Undeliverable,
)
from messenger.mail import bodies
from messenger.mail.compose import one_line
from messenger.mail.transfer import content

THREAD = 10
"""How many earlier mails ``References`` names."""

QUOTED = 10_000


class Email(Connector):
    """A mailbox. It comes in by LMTP or is fetched by IMAP (``mailboxes``), never by the door."""

    kind = "email"
    label = gettext_lazy("E-mail")
    icon = "mail"
    limits = Limits(text=4000, file_bytes=10 * 1024 * 1024)
    settings = (
        Setting("address", gettext_lazy("e-mail address"), gettext_lazy("support@example.com")),
        Setting(
            "signature",
            gettext_lazy("signature"),
            gettext_lazy("Added below each answer."),
            is_required=False,
            is_long=True,
        ),
        Setting(
            "imap_host",
            gettext_lazy("IMAP server"),
            gettext_lazy(
                "imap.example.com or imap.example.com:993. New e-mails are fetched from its inbox. "
                "Leave empty if your mail server delivers them by LMTP."
            ),
            is_required=False,
        ),
        Setting("imap_user", gettext_lazy("IMAP user"), is_required=False),
        Setting("token", gettext_lazy("IMAP password"), is_required=False),
    )

    def verify(self, inbox: Inbox, request: Request) -> None:
        raise Forged

    def parse(self, inbox: Inbox, request: Request) -> Sequence[Incoming | Receipt]:
        return []

    def fetch(self, inbox: Inbox, file: RemoteFile) -> bytes:
        """Return an attachment of a stored e-mail; the reference is its file and the number."""
        name, _hash, number = file.reference.rpartition("#")
        with default_storage.open(name) as stored:
            parts = bodies.read(email.message_from_bytes(stored.read())).parts
        return content(parts[int(number)])

    def send(self, inbox: Inbox, outgoing: Outgoing) -> str:
        message = compose(inbox, outgoing)
        try:
            if not get_connection().send_messages([message]):
                raise Later("the mail server took nothing")
        except smtplib.SMTPAuthenticationError:
            raise Disconnected(gettext_noop("The mail server refuses the login.")) from None
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise _refusal(code, answer) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, error.smtp_error) from None
        except OSError as error:
            raise Later(f"the mail server cannot be reached ({type(error).__name__})") from None
        return str(message.extra_headers["Message-ID"])


def compose(inbox: Inbox, outgoing: Outgoing) -> EmailMessage:
    """Return the e-mail of an answer: in its thread, with the signature and what it answers."""
    address = str(inbox.options.get("address", ""))
    mine = InboundMessage.objects.filter(conversation=outgoing.conversation_id)
    last = InboundEmail.objects.filter(conversation=outgoing.conversation_id)
    original = last.order_by("-received_at").first()
    thread = list(mine.order_by("-pk").values_list("provider_id", flat=True)[:THREAD])
    ours = OutboundMessage.objects.filter(conversation=outgoing.conversation_id)
    sent = ours.exclude(provider_id="").order_by("-pk").values_list("provider_id", flat=True)
    headers = {
        "Message-ID": f"<{outgoing.id}@{address.rpartition('@')[2]}>",
        "Date": formatdate(localtime=False),
    }
    if thread:
        headers["In-Reply-To"] = thread[0]
        headers["References"] = " ".join([*reversed(thread), *sent[:1]])
    subject = original.subject if original else inbox.website.name
    message = EmailMessage(
        subject=one_line(subject if subject.lower().startswith("re:") else f"Re: {subject}"),
        body=_body(inbox, outgoing, original),
        from_email=str(Address(one_line(_brand(inbox)), addr_spec=address)),
        to=[outgoing.address],
        headers=headers,
    )
    if outgoing.file is not None:
        file = outgoing.file
        message.attach(file.name, file.content, file.content_type)
    return message


def _body(inbox: Inbox, outgoing: Outgoing, original: InboundEmail | None) -> str:
    parts = [outgoing.text]
    if signature := str(inbox.options.get("signature") or "").strip():
        parts.append(f"-- \n{signature}")
    if original is not None and original.text.strip():
        quoted = "\n".join(f"> {line}" for line in original.text[:QUOTED].strip().splitlines())
        wrote = _("%(sender)s wrote:") % {"sender": original.sender}
        parts.append(f"{wrote}\n{quoted}")
    return "\n\n".join(part for part in parts if part)


def _brand(inbox: Inbox) -> str:
    sender = getattr(inbox.website, "sender", None)
    return str((sender and sender.name) or inbox.website.name)


def _refusal(code: int, answer: bytes | str) -> Exception:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    said = f"{code} {one_line(text)}"
    return Undeliverable(said) if 500 <= code < 600 else Later(said)
