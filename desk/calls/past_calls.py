"""The calls of a conversation as lines between its messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.moments import duration
from conversations.calls.channels import FOR_CALLS
from conversations.calls.states import CallEnd, CallStatus, Side
from conversations.models import Call, Conversation


@dataclass(frozen=True, slots=True)
class CallLine:
    """A call that is over, at the moment of its end."""

    pk: int
    at: datetime
    icon: str
    sentence: str


def awaits_call(conversation: Conversation) -> bool:
    """Return whether the visitor came for a call and has not had one yet; none rings now."""
    if conversation.channel not in FOR_CALLS:
        return False
    had = Q(answered_at__isnull=False) | Q(ended_at=None)
    return not Call.objects.filter(had, conversation=conversation).exists()


def lines_of(conversation_id: int) -> list[CallLine]:
    """Return the calls of a conversation that are over, oldest first."""
    calls = Call.objects.filter(conversation=conversation_id).exclude(ended_at=None)
    return [_line(call) for call in calls.select_related("agent").order_by("pk")]


def _line(call: Call) -> CallLine:
    icon = "video" if call.has_video else "phone"
    if call.lasted is None:
        icon = "phone-missed"
    return CallLine(call.pk, call.ended_at or call.rang_at, icon, _sentence(call))


def _sentence(call: Call) -> str:
    """Say who called whom, and what became of it."""
    by_visitor = call.begun_by == Side.VISITOR
    values = {"agent": call.agent.display_name}
    if call.lasted is None or call.status != CallStatus.ENDED:
        return _unanswered(call, by_visitor=by_visitor) % values
    if call.has_video:
        text = (
            _("Video call from the visitor to %(agent)s (%(length)s)")
            if by_visitor
            else _("Video call from %(agent)s to the visitor (%(length)s)")
        )
    else:
        text = (
            _("Call from the visitor to %(agent)s (%(length)s)")
            if by_visitor
            else _("Call from %(agent)s to the visitor (%(length)s)")
        )
    sentence = text % (values | {"length": duration(call.lasted)})
    return sentence if call.end == CallEnd.HUNG_UP else f"{sentence} · {call.get_end_display()}"


def _unanswered(call: Call, *, by_visitor: bool) -> str:
    if call.status == CallStatus.FAILED:
        return _("Call with %(agent)s: could not be connected")
    if call.status == CallStatus.DECLINED:
        return _("Call declined by %(agent)s") if by_visitor else _("Call of %(agent)s declined")
    if call.end == CallEnd.CANCELLED:
        return (
            _("Missed call: the visitor gave up before %(agent)s answered")
            if by_visitor
            else _("Call cancelled by %(agent)s")
        )
    return (
        _("Missed call: %(agent)s did not answer")
        if by_visitor
        else _("Missed call: the visitor did not answer %(agent)s")
    )
