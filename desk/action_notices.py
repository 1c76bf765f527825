"""The notice after an agent's action on a conversation."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.moments import moment
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation


def sentence(conversation: Conversation) -> str:
    """Return where the conversation is now, in words."""
    number = conversation.pk
    until = _moment(conversation.deadline_at)
    match Status(conversation.status):
        case Status.CLOSED:
            return _("#%(number)d is closed.") % {"number": number}
        case Status.SOLVED:
            values = {"number": number, "until": until}
            return _("#%(number)d is solved. The visitor may come back until %(until)s.") % values
        case Status.SNOOZED:
            return _("#%(number)d is snoozed until %(until)s.") % {
                "number": number,
                "until": until,
            }
        case Status.PENDING:
            return _("#%(number)d is pending until the visitor replies.") % {"number": number}
        case Status.ON_HOLD:
            return _("#%(number)d is on hold.") % {"number": number}
        case Status.ASSIGNED if conversation.agent is not None:
            values = {"number": number, "name": conversation.agent.display_name}
            return _("#%(number)d is assigned to %(name)s.") % values
        case Status.QUEUED if conversation.group is not None:
            values = {"number": number, "group": conversation.group.name}
            return _("#%(number)d is waiting in the queue of %(group)s.") % values
        case _other:
            return _("#%(number)d is on your desk.") % {"number": number}


def _moment(at: datetime | None) -> str:
    return moment(timezone.localtime(at)) if at else ""
