"""The whole e-mail behind a message, for users who may read the conversation (B29)."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.access import StaffRequest, staff
from conversations.messages import inbound_emails
from conversations.models import InboundEmail
from desk.views.actions import visible_or_404
from desk.views.dialogs import over_the_desk


def _email(request: StaffRequest, number: int, email: uuid.UUID) -> InboundEmail:
    conversation = visible_or_404(request, number)
    return get_object_or_404(InboundEmail, pk=email, conversation=conversation)


@staff("GET")
@over_the_desk
def email(request: StaffRequest, number: int, email: uuid.UUID) -> HttpResponse:
    """Show its whole text, with quotes and signatures, in a dialog."""
    context = {"number": number, "email": _email(request, number, email)}
    return render(request, "desk/_email.html", context)


@staff("GET")
def email_file(request: StaffRequest, number: int, email: uuid.UUID) -> HttpResponse:
    """Download the file as it came. A browser must not render it: outsiders wrote it."""
    one = _email(request, number, email)
    try:
        content = inbound_emails.content(one)
    except FileNotFoundError:
        raise Http404 from None
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="email-{number}-{one.pk}.eml"'
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
