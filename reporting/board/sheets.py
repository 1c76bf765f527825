"""The board's sheets: complete, as they are at one moment, even where the board shows only
part of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts.models import Channel, User
from conversations.models import Conversation
from reporting.board import queries, states
from reporting.board.queries import AgentRow, Queue
from reporting.board.scope import View
from reporting.board.states import State
from reporting.exports.row_files import CHUNK
from reporting.exports.workbook import Cell, Row
from reporting.reports.sheets import Sheet


def of_board(name: str, user: User, view: View, *, at: datetime) -> Sheet | None:
    """Return the sheet ``queues``, ``agents``, or the conversations in a state; ``None`` for an
    unknown name. Durations are in seconds."""
    if name == "queues":
        return _queues(queries.queues(user, at=at, view=view), at)
    if name == "agents":
        return _agents(queries.agents(user, at=at, view=view), at)
    if name in states.STATES:
        return _conversations(states.STATES[name], user, view, at)
    return None


def _queues(queues: list[Queue], at: datetime) -> Sheet:
    return Sheet(
        title=_("Queues"),
        headings=[
            *(_("Rule"), _("Group"), _("Waiting"), _("Places"), _("Returns")),
            *(_("Not heard from again"), _("Longest wait (s)")),
        ],
        rows=[
            [
                *(queue.rule, queue.group, queue.waiting, queue.places, queue.returned),
                queue.silent,
                _since(queue.oldest_at, at),
            ]
            for queue in queues
        ],
    )


def _agents(agents: list[AgentRow], at: datetime) -> Sheet:
    channels = {value: str(label) for value, label in Channel.choices}
    headings = [_("Agent"), _("Connection")]
    for label in channels.values():
        values = {"channel": label}
        headings += [label, _("%(channel)s, on desk") % values, _("%(channel)s, slots") % values]
    headings += [
        *(_("On desk"), _("Assigned, waiting"), _("In this status for (s)")),
        *(_("Available today (s)"), _("Contacts today"), _("Handle time (s)"), _("CSAT")),
    ]
    return Sheet(_("Agents"), headings, [_agent(row, list(channels), at) for row in agents])


def _agent(row: AgentRow, channels: list[str], at: datetime) -> Row:
    states = {
        "available": _("available"),
        "full": _("full"),
        "unavailable": _("unavailable"),
    }
    status: dict[str, Row] = {
        one.channel: [states[one.state], one.active, one.slots] for one in row.channels
    }
    today = row.today
    return [
        row.name,
        _("connected") if row.is_connected else _("connection lost"),
        *(cell for channel in channels for cell in status.get(channel, [None, None, None])),
        row.on_desk,
        row.assigned,
        _since(row.since, at),
        _seconds(today.available),
        today.contacts,
        _seconds(today.handle_time),
        None if today.csat is None else round(today.csat, 2),
    ]


def _conversations(state: State, user: User, view: View, at: datetime) -> Sheet:
    conversations = states.conversations_in(state, user, view)
    return Sheet(
        title=str(state.name),
        headings=[
            *(_("Conversation"), _("State"), _("Visitor"), _("Website"), _("Group"), _("Agent")),
            *(_("Returned"), _("Kept"), _("Since"), _("For (s)"), _("Until")),
        ],
        rows=[_conversation(row, at) for row in conversations.iterator(chunk_size=CHUNK)],
    )


def _conversation(row: Conversation, at: datetime) -> Row:
    """Build a row, with moments in the local time of the conversation's website."""
    line, zone = states.row_of(row), row.website.zone
    since, until = (
        moment and moment.astimezone(zone).replace(tzinfo=None, microsecond=0)
        for moment in (line.since, line.until)
    )
    return [
        *(line.number, str(line.status), line.visitor, line.website, line.group, line.agent),
        *(_("yes") if is_so else "" for is_so in (line.is_return, line.is_kept)),
        since,
        _since(line.since, at),
        until,
    ]


def _since(moment: datetime | None, at: datetime) -> Cell:
    return None if moment is None else _seconds(at - moment)


def _seconds(length: timedelta | None) -> Cell:
    return None if length is None else length // timedelta(seconds=1)
