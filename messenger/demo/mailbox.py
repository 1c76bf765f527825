"""The demo's mailbox: what visitors would receive, if no mail server is configured.

A mail can be answered there; the reply takes the same path as any incoming one.
"""

from __future__ import annotations

import email
import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from messenger.demo.views import shop
from messenger.mail import replies
from messenger.models import ReplyOutcome

NAME = re.compile(r"[\w.@-]{1,200}")
SHOWN = 100
WORDS_LIMIT = 4000

# The mail's own styles, no script; its links leave the frame.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; "
    "frame-ancestors 'self'; sandbox allow-popups allow-top-navigation-by-user-activation"
)


class StoredMail(NamedTuple):
    """A mail in the folder."""

    name: str
    sent_at: datetime
    message: EmailMessage


def _read(file: Path) -> StoredMail:
    parsed = email.message_from_bytes(file.read_bytes(), policy=default)
    assert isinstance(parsed, EmailMessage)  # The policy's own class.
    sent_at = datetime.fromtimestamp(file.stat().st_mtime, tz=timezone.get_current_timezone())
    return StoredMail(file.stem, sent_at, parsed)


def _find(name: str) -> StoredMail:
    file = Path(settings.MAIL_FOLDER) / f"{name}.eml"
    if not NAME.fullmatch(name) or not file.is_file():
        raise Http404
    return _read(file)


def _text(stored: StoredMail, kind: str) -> str:
    part = stored.message.get_body((kind,))
    return str(part.get_content()) if part else ""


@require_safe
@shop
def mailbox(request: HttpRequest) -> HttpResponse:
    """List all mails, newest first."""
    files = Path(settings.MAIL_FOLDER).glob("*.eml")
    newest = sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)[:SHOWN]
    return render(request, "demo/mailbox.html", {"mails": [_read(file) for file in newest]})


@require_http_methods(["GET", "HEAD", "POST"])
@shop
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one mail; a POST answers it."""
    stored = _find(name)
    if request.method == "POST":
        outcome = _answer(stored, request.POST.get("words", "")[:WORDS_LIMIT])
        return redirect(f"{request.path}?outcome={outcome.value}")
    outcome_name = request.GET.get("outcome", "")
    context = {
        "mail": stored,
        "text": _text(stored, "plain"),
        "outcome": ReplyOutcome(outcome_name).label if outcome_name in ReplyOutcome.values else "",
        "can_reply": bool(stored.message["Reply-To"]),
    }
    return render(request, "demo/mail.html", context)


@require_safe
@shop
@xframe_options_sameorigin
def look(request: HttpRequest, name: str) -> HttpResponse:
    """Render the mail as a mail program does, for the frame of its page."""
    # A link of the mail opens in the whole tab, not inside the frame.
    html = _text(_find(name), "html").replace("<head>", '<head><base target="_top">', 1)
    response = HttpResponse(html)
    response["Content-Security-Policy"] = POLICY
    return response


def _answer(stored: StoredMail, words: str) -> ReplyOutcome:
    """Hand over the reply that the visitor's mail program would send."""
    quoted = "\n".join(f"> {line}" for line in _text(stored, "plain").splitlines())
    reply = EmailMessage()
    reply["From"] = str(stored.message["To"])
    reply["To"] = str(stored.message["Reply-To"])
    reply["Subject"] = f"Re: {stored.message['Subject']}"
    reply["Message-ID"] = f"<{get_random_string(20)}@demo.localhost>"
    reply["In-Reply-To"] = str(stored.message["Message-ID"])
    reply.set_content(f"{words}\n\n{quoted}\n")
    recipient = stored.message["Reply-To"].addresses[0].addr_spec
    return replies.take(reply.as_bytes(), [recipient], at=timezone.now())[0]
