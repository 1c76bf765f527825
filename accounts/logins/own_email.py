"""Changing a user's own e-mail address: it takes effect once the link in its mailbox is followed.

The link is a signed text and needs no table. It names the address that it replaces, so it works
once, and no longer if the address has been changed meanwhile.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.audit import acting
from accounts.facts import EmailChangeAsked
from accounts.logins import notices
from accounts.models import User
from core.events import bus

VALID = timedelta(days=1)
_SALT = "causerie.own-email"


def ask(user: User, email: str) -> None:
    """Owe a mail to the new address with the link that confirms it. Nothing has changed yet."""
    with acting(user):
        bus.publish(EmailChangeAsked(user_id=user.pk, email=email))


def send_confirmation(*, user_id: int, email: str) -> None:
    """Mail the link. It is created only now, so that the outbox never stores it."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    link = f"{settings.PUBLIC_URL}{reverse('confirm_email', args=[token_for(user, email)])}"
    with translation.override(user.language or translation.get_language()):
        send_mail(
            subject=_("Confirm your e-mail address for Causerie"),
            message=render_to_string(
                "accounts/logins/confirm_email.txt", {"person": user, "link": link}
            ),
            from_email=None,
            recipient_list=[email],
        )


def token_for(user: User, email: str) -> str:
    return signing.dumps([user.pk, user.email, email], salt=_SALT)


def read(token: str) -> tuple[User, str] | None:
    """Return whose address a link changes, and to what; ``None`` if it no longer works."""
    try:
        user_id, before, email = signing.loads(token, salt=_SALT, max_age=VALID)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = User.objects.filter(pk=user_id, email=before, is_active=True).first()
    return (user, email) if user else None


def confirm(token: str, request: HttpRequest) -> User | None:
    """Change the address and tell the old one; return ``None`` if the link no longer works."""
    claim = read(token)
    if claim is None:
        return None
    user, email = claim
    before = user.email
    with acting(user):
        # Of two clicks at once, one changes the address and sends the mail.
        is_first = User.objects.filter(pk=user.pk, email=before).update(email=email)
        if is_first and before:
            notices.publish(user, notices.Event.EMAIL_CHANGED, request, address=before)
    return user if is_first else None
