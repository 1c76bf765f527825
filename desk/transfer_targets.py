"""Possible targets of a transfer, and what would become of the conversation (R199)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Agent, Channel, Group, Skill, SkillKind, User
from accounts.moments import moment
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation
from desk import queries
from desk.queries import Colleague
from routing import load
from routing.decisions import Need, obstacles


@dataclass(frozen=True, slots=True)
class Team:
    """A group of the website: how many of its agents could take the conversation now."""

    group_id: int
    name: str
    free: int
    waiting: int
    is_present: bool
    is_open: bool
    outcome: str


def colleagues_of(
    conversation: Conversation, user: User, *, at: datetime
) -> list[tuple[Colleague, str]]:
    """Return colleagues, free ones first, each with the effect of a transfer to them."""
    colleagues = queries.colleagues_for(conversation, user, at=at)
    return [(one, _forecast_for_colleague(one, conversation)) for one in colleagues]


def _forecast_for_colleague(one: Colleague, conversation: Conversation) -> str:
    values = {"name": one.name, "hours": conversation.website.assignment_hours}
    if one.is_connected and one.is_available and one.active < one.slots:
        return _("It goes to the desk of %(name)s immediately.") % values
    if not one.is_connected:
        first = _(
            "%(name)s is not connected. The conversation waits for them for up to %(hours)d h."
        )
    elif not one.is_available:
        first = _("%(name)s is unavailable. The conversation waits for them for up to %(hours)d h.")
    else:
        first = _(
            "%(name)s has no free slot. The conversation waits for one for up to %(hours)d h."
        )
    then = _("Then it goes to the queue of %(group)s.")
    group = {"group": conversation.group.name if conversation.group else ""}
    return f"{first % values} {then % group}" if conversation.group else first % values


def teams_of(conversation: Conversation, agent: Agent | None, *, at: datetime) -> list[Team]:
    """Return the groups of the website, each with the effect of a transfer to it.

    The agent who transfers does not count as free, although the transfer frees a slot: a
    conversation that is handed over is meant for somebody else.
    """
    groups = list(queries.teams(conversation))
    waiting = dict(
        Conversation.objects.filter(
            group__in=groups, channel=conversation.channel, status=Status.QUEUED
        )
        .order_by()
        .values_list("group")
        .annotate(n=Count("pk"))
    )
    languages = frozenset(
        Skill.objects.filter(
            pk__in=conversation.required_skills, kind=SkillKind.LANGUAGE
        ).values_list("pk", flat=True)
    )
    mine = agent.pk if agent else None
    return [
        _team(group, conversation, waiting.get(group.pk, 0), languages, mine, at)
        for group in groups
    ]


def _team(
    group: Group,
    conversation: Conversation,
    waiting: int,
    languages: frozenset[int],
    mine: int | None,
    at: datetime,
) -> Team:
    need = Need(group_id=group.pk, skill_ids=languages)
    there = load.takers(group.pk, Channel(conversation.channel), at=at)
    able = [view for view in there if view.agent_id != mine and not obstacles(view, need)]
    is_open = group.is_open_at(at)
    outcome = _forecast_for_team(is_open, group.opens_at(at), len(able), waiting)
    if not able and any(view.agent_id == mine for view in there):
        outcome = f"{outcome} {_('You are a member of this team, so it may come back to you.')}"
    return Team(
        group_id=group.pk,
        name=group.name,
        free=len(able),
        waiting=waiting,
        is_present=group.pk == conversation.group_id,
        is_open=is_open,
        outcome=outcome,
    )


def _forecast_for_team(is_open: bool, opens_at: datetime | None, free: int, waiting: int) -> str:
    if not is_open and opens_at is not None:
        until = {"moment": moment(timezone.localtime(opens_at))}
        return _("The team is closed until %(moment)s. It waits in the queue.") % until
    if not is_open:
        return _("The team is closed. It waits in the queue until the team opens.")
    if free and not waiting:
        return _("It goes to a free agent of the team immediately.")
    if not waiting:
        return _("No one is free. It waits at the front of the queue.")
    text = ngettext(
        "It waits in the queue, after %(n)d other conversation.",
        "It waits in the queue, after %(n)d other conversations.",
        waiting,
    )
    return text % {"n": waiting}
