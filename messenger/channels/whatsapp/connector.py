"""The connector of WhatsApp: one phone number of a WhatsApp Business account.

https://developers.facebook.com/documentation/business-messaging/whatsapp is the documentation.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, override

from conversations.inboxes.kinds import Limits
from conversations.inboxes.templates import ApprovedTemplate
from conversations.models import Inbox
from core.rejection import Rejected
from core.text.strict_json import parse_object
from messenger.channels import provider_calls
from messenger.channels.connector import (
    Connector,
    Forged,
    Incoming,
    Outgoing,
    OutgoingFile,
    Receipt,
    RemoteFile,
    Request,
    Setting,
    Undeliverable,
    Unreadable,
)
from messenger.channels.whatsapp import arrivals, messages, templates
from messenger.channels.whatsapp.errors import checked

VERSION = "v23.0"
SALT = "messenger.channels.whatsapp"
MEGABYTE = 1024 * 1024
FILES = dict.fromkeys(("image/jpeg", "image/png"), 5 * MEGABYTE) | dict.fromkeys(
    (
        "text/plain",
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    10 * MEGABYTE,  # WhatsApp takes 100 MB; no upload is larger than this.
)
"""Of the files that agents may send, those that WhatsApp takes, with their largest sizes."""


UNSUITABLE = gettext_noop("WhatsApp does not accept files of this kind or size.")


class WhatsApp(Connector):
    """A phone number. The app behind it may have others: what is theirs is left out."""

    kind = "whatsapp"
    label = _("WhatsApp")
    icon = "smartphone"
    limits = Limits(
        text=4096,
        file_bytes=10 * MEGABYTE,
        file_types=FILES,
        reply_window=timedelta(hours=24),
    )
    settings = (
        Setting("phone_number_id", _("phone number ID"), _("From the WhatsApp page of your app.")),
        Setting("account_id", _("WhatsApp Business account ID"), _("From the same page.")),
        Setting(
            "token",
            _("access token"),
            _(
                "Of a system user of your business, without an end, with the permissions "
                "whatsapp_business_messaging and whatsapp_business_management."
            ),
        ),
        Setting("secret", _("app secret"), _("From the basic settings of your app.")),
    )

    def verify(self, inbox: Inbox, request: Request) -> None:
        key = inbox.secret.reveal() if inbox.secret else ""
        expected = "sha256=" + hmac.new(key.encode(), request.body, hashlib.sha256).hexdigest()
        given = request.headers.get("x-hub-signature-256", "")
        # Without a secret anybody could compute the signature.
        if not key or not constant_time_compare(given, expected):
            raise Forged

    def challenge(self, inbox: Inbox, request: Request) -> str:
        """Answer the check that ``connect`` makes Meta do."""
        asked = request.query
        is_ours = constant_time_compare(asked.get("hub.verify_token", ""), verify_token(inbox))
        if asked.get("hub.mode") != "subscribe" or not is_ours:
            raise Forged
        return asked.get("hub.challenge", "")

    def parse(self, inbox: Inbox, request: Request) -> Sequence[Incoming | Receipt]:
        number = str(inbox.options.get("phone_number_id", ""))
        try:
            with override(inbox.website.language):
                return list(arrivals.read(parse_object(request.body), number))
        except (Rejected, KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise Unreadable from None

    def send(self, inbox: Inbox, outgoing: Outgoing) -> str:
        file = outgoing.file
        media = self._upload(inbox, file) if file is not None else ""
        body = messages.compose(outgoing, media)
        reply = self._post(inbox, f"{_number(inbox)}/messages", body)
        return str(reply["messages"][0]["id"])

    def fetch(self, inbox: Inbox, file: RemoteFile) -> bytes:
        """Return a file. Its address holds for five minutes, so it is asked for each time."""
        reply = provider_calls.call("GET", _url(file.reference), headers=_headers(inbox))
        url = str(checked(reply).data.get("url", ""))
        if not url:
            raise Undeliverable(gettext_noop("WhatsApp does not hand out this file."))
        return provider_calls.download(url, headers=_headers(inbox))

    def connect(self, inbox: Inbox, door: str) -> None:
        """Tell Meta to deliver what is for this number, and only that, to its own door."""
        if not door.startswith("https://") and settings.HTTPS:
            raise Undeliverable(gettext_noop("WhatsApp needs an address with https."))
        # First the account: Meta takes the address of a number only from an app that follows its
        # account. Both can be repeated.
        self._post(inbox, f"{inbox.options.get('account_id', '')}/subscribed_apps", {})
        hook = {"override_callback_uri": door, "verify_token": verify_token(inbox)}
        self._post(inbox, _number(inbox), {"webhook_configuration": hook})

    def templates(self, inbox: Inbox) -> list[ApprovedTemplate]:
        address = f"{inbox.options.get('account_id', '')}/message_templates"
        found: list[ApprovedTemplate] = []
        after = ""
        for _page in range(templates.PAGES):
            url = _url(address, fields=templates.FIELDS, limit=str(templates.PAGE), after=after)
            data = checked(provider_calls.call("GET", url, headers=_headers(inbox))).data
            found += templates.read(data)
            after = str(data.get("paging", {}).get("cursors", {}).get("after", ""))
            if not after or not data.get("paging", {}).get("next"):
                break
        return found

    def _upload(self, inbox: Inbox, file: OutgoingFile) -> str:
        limit = FILES.get(file.content_type, 0)
        if len(file.content) > limit:
            raise Undeliverable(
                gettext_noop("WhatsApp does not accept files of this kind or size.")
            )
        fields = {"messaging_product": "whatsapp", "type": file.content_type}
        url = _url(f"{_number(inbox)}/media")
        reply = provider_calls.call_form(
            url, fields, part="file", file=file, headers=_headers(inbox)
        )
        return str(checked(reply).data["id"])

    def _post(self, inbox: Inbox, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        reply = provider_calls.call_json("POST", _url(path), data, headers=_headers(inbox))
        return checked(reply).data


def verify_token(inbox: Inbox) -> str:
    """Return the word by which Meta shows that it checks the door on our behalf."""
    # Made of the key and not stored: the secret of the inbox is the one that the app has.
    return salted_hmac(SALT, inbox.key, algorithm="sha256").hexdigest()


def _number(inbox: Inbox) -> str:
    return str(inbox.options.get("phone_number_id", ""))


def _headers(inbox: Inbox) -> dict[str, str]:
    return {"Authorization": f"Bearer {inbox.token.reveal()}"}


def _url(path: str, **query: str) -> str:
    given = urlencode({name: value for name, value in query.items() if value})
    address = f"{settings.CHANNEL_APIS['whatsapp']}/{VERSION}/{quote(path)}"
    return f"{address}?{given}" if given else address
