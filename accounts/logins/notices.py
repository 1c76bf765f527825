"""Mails to users about their own account: what changed, when and from where."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import zone_of
from accounts.facts import AccountSecured
from accounts.logins import devices
from accounts.models import User
from core.events import bus


class Event(StrEnum):
    """What a mail tells. The value is stored in the outbox."""

    PASSWORD_CHANGED = "password_changed"
    EMAIL_CHANGED = "email_changed"
    APP_ADDED = "app_added"
    APP_REMOVED = "app_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    CODES_RENEWED = "codes_renewed"
    CODE_USED = "code_used"
    FACTORS_RESET = "factors_reset"
    NEW_DEVICE = "new_device"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"


SENTENCES = {
    Event.PASSWORD_CHANGED: gettext_lazy("The password of your account was changed."),
    Event.EMAIL_CHANGED: gettext_lazy("The e-mail address of your account was changed."),
    Event.APP_ADDED: gettext_lazy("An authenticator app was added to your account."),
    Event.APP_REMOVED: gettext_lazy("The authenticator app was removed from your account."),
    Event.PASSKEY_ADDED: gettext_lazy("A passkey was added to your account."),
    Event.PASSKEY_REMOVED: gettext_lazy("A passkey was removed from your account."),
    Event.CODES_RENEWED: gettext_lazy("The recovery codes of your account were renewed."),
    Event.CODE_USED: gettext_lazy("A recovery code was used to log in to your account."),
    Event.NEW_DEVICE: gettext_lazy("Your account was used to log in from a new device."),
    Event.IDENTITY_LINKED: gettext_lazy("A single sign-on login was linked to your account."),
    Event.IDENTITY_UNLINKED: gettext_lazy("A single sign-on login was unlinked from your account."),
    Event.FACTORS_RESET: gettext_lazy(
        "An administrator reset the two-step login for your account."
    ),
}


def publish(user: User, event: Event, request: HttpRequest, *, address: str = "") -> None:
    """Owe the user a mail. Call it in the transaction of the change."""
    bus.publish(
        AccountSecured(
            user_id=user.pk,
            event=event,
            at=timezone.now().isoformat(),
            place=place_of(request),
            address=address,
        )
    )


def place_of(request: HttpRequest) -> str:
    """Return from where a request came: "Firefox, Linux (192.0.2.1)"."""
    device = devices.name_of(request.headers.get("User-Agent", ""))
    address = request.META.get("REMOTE_ADDR", "")
    return f"{device} ({address})" if device and address else device or address


def send_notice(*, user_id: int, event: str, at: str, place: str, address: str) -> None:
    """Tell the user by e-mail; users without an address are told by nobody."""
    user = User.objects.filter(pk=user_id).first()
    recipient = address or (user.email if user else "")
    if user is None or not recipient:
        return
    moment = timezone.localtime(datetime.fromisoformat(at), zone_of(user))
    with translation.override(user.language or translation.get_language()):
        sentence = str(SENTENCES[Event(event)])
        context = {
            "person": user,
            "sentence": sentence,
            "moment": date_format(moment, "DATETIME_FORMAT"),
            "place": place,
            "link": f"{settings.PUBLIC_URL}{reverse('account')}",
        }
        send_mail(
            subject=_("Your Causerie account: %(what)s") % {"what": sentence.rstrip(".")},
            message=render_to_string("accounts/logins/notice.txt", context),
            from_email=None,
            recipient_list=[recipient],
        )
