"""The rejections of messages and other requests, with their texts."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.rejection import Rejected


def closed() -> Rejected:
    return Rejected("closed", _("This conversation is closed. You can start a new one."), 410)


def blocked() -> Rejected:
    """Return the rejection for a blocked visitor (R58): calm, and without a reason."""
    return Rejected("blocked", _("It is not possible to write to us here at the moment."), 403)


def without_consent() -> Rejected:
    """Return the rejection for a message without consent (R27)."""
    return Rejected("consent", _("Please accept first; your message is kept."), 403)


def withdrawn() -> Rejected:
    """Return the rejection for anything sent after consent was withdrawn (C62)."""
    text = _(
        "You have withdrawn your consent, so nothing was stored. To go on, please accept first."
    )
    return Rejected("consent", text, 403)


def no_file() -> Rejected:
    return Rejected("attachment", _("The file is no longer there: please attach it again."), 409)


def not_on_desk() -> Rejected:
    return Rejected(
        "not_on_desk", _("This conversation is no longer on your desk; nothing was sent."), 409
    )


def conflict() -> Rejected:
    return Rejected("conflict", _("Another message was sent under the same id."), 409)
