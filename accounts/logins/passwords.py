"""Forgotten and changed passwords. The link that is mailed is the invitation's."""

from __future__ import annotations

from django.conf import settings
from django.core.cache import cache
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from accounts import invitations
from accounts.facts import PasswordForgotten
from accounts.logins import notices
from accounts.models import User
from core.events import bus
from core.rates import counters

DOOR = "forgotten"
MOST = 5
"""How many accounts may share an address; more of them get no link."""

PAUSE_SECONDS = 60
"""No account is sent more than one link in this time, whoever asks."""


@transaction.atomic
def ask_for_link(login: str, *, address: str) -> None:
    """Owe a link to the accounts with this username or e-mail address; raise ``TooMany``.

    Whether there are any shows neither in the answer nor in how long it takes.
    """
    named_as = f"{address} {login.casefold()}"
    asked = salted_hmac("causerie.forgotten", named_as, algorithm="sha256").hexdigest()
    counters.hit(DOOR, visitor=asked, address=address)
    named = Q(username__iexact=login) | Q(email__iexact=login)
    users = User.objects.filter(named, is_active=True).exclude(email="").order_by("pk")
    bus.publish(PasswordForgotten(user_ids=tuple(users.values_list("pk", flat=True)[:MOST])))


def send_links(*, user_ids: list[int]) -> None:
    """Mail each of these users a link. It is created only now, so that the outbox never stores
    it."""
    for user in User.objects.filter(pk__in=user_ids, is_active=True).exclude(email=""):
        if _was_sent_one(user):
            continue
        context = {"person": user, "link": f"{settings.PUBLIC_URL}{invitations.path_for(user)}"}
        with translation.override(user.language or translation.get_language()):
            send_mail(
                subject=_("Choose a new password for Causerie"),
                message=render_to_string("accounts/logins/forgotten.txt", context),
                from_email=None,
                recipient_list=[user.email],
            )


def changed(user: User, request: HttpRequest) -> None:
    """Tell the user that their password is another one. Call it in the transaction of the change;
    all their other sessions end with it."""
    notices.publish(user, notices.Event.PASSWORD_CHANGED, request)


def _was_sent_one(user: User) -> bool:
    try:
        return not cache.add(f"forgotten:{user.pk}", 1, timeout=PAUSE_SECONDS)
    except RedisError:
        # Without Valkey, a second mail is better than none.
        return False
