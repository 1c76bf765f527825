"""What waits although an agent is available, and why they do not get it (B4, C56).

The same ``decisions.obstacles`` as everywhere, here in short sentences for the agent concerned,
each with what would help.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from django.db.models import Count
from django.utils.translation import ngettext

from accounts.models import Agent, AgentChannel, Channel, Group, Skill
from conversations.lifecycle.transitions import WAITING, Status
from conversations.models import Conversation
from routing import load
from routing.decisions import AgentView, BlockReason, Need, obstacles
from routing.moments import at_moment

MOST = 3
"""How many sentences a reader takes in; more would be a report."""
FIRST = (BlockReason.GROUP_CLOSED, BlockReason.LACKS_SKILL, BlockReason.OF_SOMEBODY_ELSE)
"""Reasons in the agent's own groups come before those in others."""


@dataclass(frozen=True, slots=True)
class GroupBlock:
    """One thing that stops the agent: a group, or some skills."""

    kind: BlockReason
    group_id: int | None = None
    skill_ids: frozenset[int] = frozenset()


def sentences(agent: Agent, *, at: datetime, zone: tzinfo) -> list[str]:
    """List what waits that ``agent`` cannot get though available with a free slot, largest first.

    Nothing if the agent is not available, or nothing waits.
    """
    mine = AgentChannel.objects.filter(agent=agent, is_available=True, slots__gt=0)
    counted: Counter[GroupBlock] = Counter()
    groups: dict[int, Group] = {}
    for name in mine.values_list("channel", flat=True):
        channel = Channel(name)
        [view] = load.views(Agent.objects.filter(pk=agent.pk), channel, at=at)
        if not view.free:
            continue
        # The reader is at the desk, even if its socket is reconnecting.
        here = replace(view, is_reachable=True)
        groups = groups or _groups_of(here)
        counted.update(dict(_reasons(here, groups, channel, at=at)))
    order = sorted(counted.items(), key=lambda item: (item[0].kind not in FIRST, -item[1]))
    names = _names(counted)
    return [_words(reason, n, groups, names, at=at, zone=zone) for reason, n in order[:MOST]]


def _groups_of(view: AgentView) -> dict[int, Group]:
    """Return all groups of the websites that the agent answers for."""
    groups = Group.objects.filter(website__in=view.standing.website_ids).select_related("website")
    return {group.pk: group for group in groups}


def _reasons(
    view: AgentView, groups: dict[int, Group], channel: Channel, *, at: datetime
) -> Iterator[tuple[GroupBlock, int]]:
    """Yield why what waits is not for the agent, and how many conversations that concerns."""
    rows = (
        Conversation.objects.filter(status__in=WAITING, channel=channel, group__in=groups)
        .values_list("status", "group_id", "agent_id", "required_skills", "are_skills_relaxed")
        .annotate(n=Count("pk"))
        .order_by()
    )
    counted: Counter[GroupBlock] = Counter()
    for status, group_id, agent_id, required, is_relaxed, n in rows:
        assignee = agent_id if status == Status.ASSIGNED else None
        if assignee is not None and group_id not in view.group_ids:
            continue
        group = groups[group_id]
        need = Need(
            group_id=group_id,
            skill_ids=frozenset() if is_relaxed else frozenset(required),
            agent_id=assignee,
            is_open=group.is_open_at(at),
        )
        stops = obstacles(view, need)
        if stops:
            # The first is the most fundamental: the group, then skills, then the desk.
            first = stops[0]
            is_of_group = first.kind in {BlockReason.NOT_A_MEMBER, BlockReason.GROUP_CLOSED}
            where = group_id if is_of_group else None
            counted[GroupBlock(first.kind, where, first.skill_ids)] += n
    yield from counted.items()


def _names(reasons: Counter[GroupBlock]) -> dict[int, str]:
    asked = {skill for reason in reasons for skill in reason.skill_ids}
    return dict(Skill.objects.filter(pk__in=asked).values_list("pk", "name")) if asked else {}


def _words(
    reason: GroupBlock,
    n: int,
    groups: dict[int, Group],
    names: dict[int, str],
    *,
    at: datetime,
    zone: tzinfo,
) -> str:
    group = groups[reason.group_id] if reason.group_id is not None else None
    values = {
        "n": n,
        "group": group.name if group else "",
        "skills": ", ".join(sorted(names.get(pk, f"#{pk}") for pk in reason.skill_ids)),
    }
    match reason.kind:
        case BlockReason.GROUP_CLOSED if group is not None and (opens_at := group.opens_at(at)):
            values["moment"] = at_moment(opens_at, at, zone)
            text = ngettext(
                "%(n)d conversation is waiting for %(group)s, which opens %(moment)s.",
                "%(n)d conversations are waiting for %(group)s, which opens %(moment)s.",
                n,
            )
        case BlockReason.GROUP_CLOSED:
            text = ngettext(
                "%(n)d conversation is waiting for %(group)s, which is closed. A manager "
                "can change its opening hours.",
                "%(n)d conversations are waiting for %(group)s, which is closed. A "
                "manager can change its opening hours.",
                n,
            )
        case BlockReason.LACKS_SKILL:
            text = ngettext(
                "%(n)d conversation is waiting for an agent with %(skills)s. A manager "
                "can add this to your skills.",
                "%(n)d conversations are waiting for an agent with %(skills)s. A manager "
                "can add this to your skills.",
                n,
            )
        case BlockReason.OF_SOMEBODY_ELSE:
            text = ngettext(
                "%(n)d conversation is assigned to a colleague and is waiting for them.",
                "%(n)d conversations are assigned to colleagues and are waiting for them.",
                n,
            )
        case _:
            text = ngettext(
                "%(n)d conversation is waiting for %(group)s, but you are not a member. "
                "A manager can add you.",
                "%(n)d conversations are waiting for %(group)s, but you are not a "
                "member. A manager can add you.",
                n,
            )
    return text % values
