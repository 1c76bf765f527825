"""What is said to somebody whose message, or whatever else was sent, is not accepted."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.rejection import Rejected


def closed() -> Rejected:
    return Rejected("closed", _("This conversation is closed. You can start a new one."), 410)


def blocked() -> Rejected:
    """What a blocked visitor reads (R58): calm, and without a reason to argue with."""
    return Rejected("blocked", _("It is not possible to write to us here at the moment."), 403)


def without_consent() -> Rejected:
    """What somebody reads who writes without a consent in force (R27)."""
    return Rejected("consent", _("Please accept first; your message is kept."), 403)


def withdrawn() -> Rejected:
    """What somebody reads who sends anything after having withdrawn consent (C62)."""
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
