"""The rejections of messages and other requests, with their texts."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.rejection import Rejected


def closed() -> Rejected:
    return Rejected("closed", _("This conversation is closed. You can start a new one."), 410)


def blocked() -> Rejected:
    """Return the rejection for a blocked visitor (R58): calm, and without a reason."""
    return Rejected("blocked", _("You cannot write to us here at the moment."), 403)


def without_consent() -> Rejected:
    """Return the rejection for a message without consent (R27)."""
    return Rejected("consent", _("Please accept first. Your message is saved."), 403)


def withdrawn() -> Rejected:
    """Return the rejection for anything sent after consent was withdrawn (C62)."""
    text = _(
        "You have withdrawn your consent, so nothing was stored. To continue, please accept first."
    )
    return Rejected("consent", text, 403)


def no_file() -> Rejected:
    return Rejected(
        "attachment", _("The file is no longer available. Please attach it again."), 409
    )


def not_on_desk() -> Rejected:
    return Rejected(
        "not_on_desk", _("This conversation is no longer on your desk. Nothing was sent."), 409
    )


def conflict() -> Rejected:
    return Rejected("conflict", _("A different message was already sent with this id."), 409)


def no_desk() -> Rejected:
    return Rejected("no_desk", _("Your account has no desk. Ask an administrator for one."), 409)
