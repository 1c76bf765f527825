"""Mailboxes that are fetched by IMAP: what is new since the last time, in the order of its numbers.

The position is a number of the server and is stored after each e-mail, so a crash fetches one again
and loses none. Nothing on the server is changed: people may read the mailbox beside Causerie.
"""

from __future__ import annotations

import imaplib
import logging
import re
import socket
import ssl
import time

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from conversations.models import Inbox, MailboxPosition
from core import encryption, outside_servers
from messenger.channels.email import intake
from messenger.mail.lmtp import SIZE_LIMIT

logger = logging.getLogger(__name__)

SECONDS = 20
RUN_SECONDS = 40
AT_ONCE = 100
PORT = 993
REFUSED = gettext_noop("The IMAP server refuses the login.")
AWAY = gettext_noop("The IMAP server cannot be reached.")
FORBIDDEN = gettext_noop("The IMAP server may not be called.")


def fetch_all() -> int:
    """Fetch what is new in every mailbox, for less than a minute; return how many e-mails came."""
    begun, count = time.monotonic(), 0
    for inbox in Inbox.objects.filter(kind=intake.KIND, is_active=True).select_related("website"):
        if not inbox.options.get("imap_host") or time.monotonic() - begun > RUN_SECONDS:
            continue
        trouble = ""
        try:
            count += fetch(inbox)
        except outside_servers.Forbidden:
            trouble = FORBIDDEN
        except (imaplib.IMAP4.error, encryption.Unreadable):
            trouble = REFUSED
        except OSError:
            trouble = AWAY
        except Exception:
            # One mailbox that fails must not block the others.
            logger.exception("could not fetch the mailbox of inbox %s", inbox.pk)
        if trouble != inbox.trouble:
            Inbox.objects.filter(pk=inbox.pk).update(trouble=trouble)
    return count


def fetch(inbox: Inbox) -> int:
    """Fetch what is new in one mailbox. Two workers may do so: an e-mail is stored once."""
    server = _server(inbox)
    try:
        server.login(str(inbox.options.get("imap_user", "")), inbox.token.reveal())
        # Read-only: nothing is marked as read for the people who use the mailbox.
        server.select("INBOX", readonly=True)
        return _fetch_new(server, inbox)
    finally:
        # Not ``logout``, which would wait for the answer of a server that hangs.
        server.shutdown()


def _fetch_new(server: imaplib.IMAP4, inbox: Inbox) -> int:
    # When this number changes, the server has numbered the e-mails anew (RFC 3501).
    validity = str(server.response("UIDVALIDITY")[1][0] or b"", "ascii")
    position = MailboxPosition.objects.filter(inbox=inbox).first()
    if position is None or position.validity != validity:
        # A mailbox seen for the first time, or made anew: what is there already is not news.
        known = {"validity": validity, "uid": max(_after(server, 0), default=0)}
        MailboxPosition.objects.update_or_create(inbox=inbox, defaults=known)
        return 0
    count = 0
    for uid in _after(server, position.uid)[:AT_ONCE]:
        raw = _read(server, uid)
        if raw:
            intake.take(raw, inbox, at=timezone.now())
            count += 1
        MailboxPosition.objects.filter(inbox=inbox).update(uid=uid)
    return count


def _after(server: imaplib.IMAP4, uid: int) -> list[int]:
    _status, found = server.uid("SEARCH", f"UID {uid + 1}:*")
    numbers = [int(one) for one in (found[0] or b"").split()]
    return sorted(one for one in numbers if one > uid)  # "5:*" always names the last one, too


def _read(server: imaplib.IMAP4, uid: int) -> bytes:
    """Return an e-mail; empty if it went meanwhile or is too large."""
    _status, sizes = server.uid("FETCH", str(uid), "(RFC822.SIZE)")
    size = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(one for one in sizes if one))
    if size is None or int(size[1]) > SIZE_LIMIT:
        return b""
    # PEEK: a plain fetch of the body marks the e-mail as read.
    _status, parts = server.uid("FETCH", str(uid), "(BODY.PEEK[])")
    return next((part[1] for part in parts if isinstance(part, tuple)), b"")


class _Checked(imaplib.IMAP4):
    """A connection to the internet address that was checked, whatever the name server says next."""

    address = ""

    # Private in the standard library, which offers no other way to choose the address.
    def _create_socket(self, timeout: float | None) -> socket.socket:
        return socket.create_connection((self.address, self.port), timeout)


class _CheckedTls(imaplib.IMAP4_SSL):
    address = ""

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        plain = socket.create_connection((self.address, self.port), timeout)
        secure: ssl.SSLSocket = self.ssl_context.wrap_socket(plain, server_hostname=self.host)
        return secure


def _server(inbox: Inbox) -> imaplib.IMAP4:
    """Connect with TLS, to a public server or one that the installation allows."""
    host, port = outside_servers.split(str(inbox.options["imap_host"]), PORT)
    free = settings.PROVIDERS_MAY_BE_PRIVATE
    # The port is that of IMAP: whether the server may be called is asked for the usual one.
    address = host if free else outside_servers.check(f"https://{host}", allowed=_allowed())
    if port == PORT:
        kind = type("_Server", (_CheckedTls,), {"address": address})
        context = ssl.create_default_context()
        made: imaplib.IMAP4 = kind(host, port, timeout=SECONDS, ssl_context=context)
        return made
    server: imaplib.IMAP4 = type("_Server", (_Checked,), {"address": address})(
        host, port, timeout=SECONDS
    )
    if "STARTTLS" in server.capabilities:
        server.starttls(ssl.create_default_context())
    elif not free:
        server.shutdown()
        raise OSError("no TLS")
    return server


def _allowed() -> outside_servers.AllowList:
    return settings.PRIVATE_SERVERS
