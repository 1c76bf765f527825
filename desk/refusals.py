"""Refused verbs in words, for the desk's pages and the API."""

from __future__ import annotations

from django.utils.translation import gettext as _

from conversations.lifecycle import verbs
from conversations.lifecycle.transitions import Refused, Verb
from conversations.models import Conversation, Style
from routing.actions import assignment


def sentence_of(fresh: Conversation | None, error: Refused) -> str:
    """Return why a verb was refused; ``fresh`` is the conversation as it is now, if the user still
    sees it."""
    if fresh is None:
        return _("This conversation is no longer in your groups. Nothing was changed.")
    if error.why == verbs.UNSEEN:
        return _unseen(fresh, error.verb)
    if error.verb == Verb.RELEASE and error.why == assignment.CONNECTED:
        return _(
            "Its agent is connected. You can release a conversation only when its agent is "
            "not connected."
        )
    if error.why == assignment.CONNECTED:
        return _("Its agent is connected and can transfer it from the desk.")
    if error.verb == Verb.TAKE_BACK:
        return _("It is too late to undo this. The conversation is now: %(status)s.") % {
            "status": fresh.get_status_display().lower()
        }
    if error.verb == Verb.SNOOZE and not fresh.may_snooze:
        return _("Only asynchronous conversations can be snoozed.")
    return _(
        "This conversation has changed in the meantime. It is now: %(status)s. Nothing was changed."
    ) % {"status": fresh.get_status_display().lower()}


def _unseen(fresh: Conversation, verb: Verb) -> str:
    if verb != Verb.CLOSE:
        return _(
            "The visitor has just written. Read the message before you set the conversation aside."
        )
    if fresh.style == Style.LIVE:
        return _(
            "The visitor has just written. Read the message before you close the conversation."
        )
    return _("The visitor has just written. Read the message before you solve the conversation.")
