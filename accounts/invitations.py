"""Invitations: a link to choose a password, which works once within three days (N15)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from accounts.models import User


def path_for(user: User) -> str:
    """Return a new path to choose a password. It works once, and until it expires."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("choose_password", args=[uid, default_token_generator.make_token(user)])


def is_sent_to(user: User) -> bool:
    """Return whether an invitation reaches this user by e-mail. Otherwise, whoever invites them
    passes the link on."""
    return bool(settings.HAS_MAIL_SERVER and user.email and user.is_active)


def send_invitation(*, user_id: int) -> None:
    """Send the link by e-mail. The link is created only now, so that the outbox never stores it."""
    user = User.objects.filter(pk=user_id).first()
    if user is None or not is_sent_to(user):
        return
    context = {"person": user, "link": f"{settings.PUBLIC_URL}{path_for(user)}"}
    with translation.override(user.language or translation.get_language()):
        send_mail(
            subject=_("Choose your password for Causerie"),
            message=render_to_string("accounts/invitation.txt", context),
            from_email=None,
            recipient_list=[user.email],
        )
