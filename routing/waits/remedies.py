"""What would end the wait of a conversation, as text in the active language."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from routing.decisions import BlockReason, Obstacle
from routing.moments import at_moment
from routing.waits.cases import AgentCase, Case, Stopped, is_barred, nearest, skill_names


def remedies(case: Case, stopped: Sequence[Stopped], *, is_fault: bool) -> list[str]:
    """Say what somebody would have to do, or when time does it; nothing if a push is under way."""
    if any(not in_the_way for _agent, in_the_way in stopped):
        if not is_fault:
            return []
        return [
            _("The safety sweep pushes it within ten seconds and counts it as a repair."),
            _(
                "If this continues, contact the operator of this installation: manage.py "
                "check_invariants."
            ),
        ]
    ways = _deadline_remedy(case)
    if case.is_assigned:
        ways += [
            line
            for agent, stops in stopped
            if agent.view.agent_id == case.need.agent_id and (line := _remedy(agent, stops, case))
        ]
        return [*ways, _("A manager releases it, and it returns to its group.")]
    if not case.need.is_open:
        if case.need.opens_at is None:
            return [
                *ways,
                _("Opening hours are set for the group %(group)s.") % {"group": case.group},
            ]
        moment = at_moment(case.need.opens_at, case.at, case.zone)
        text = _("The group %(group)s opens %(moment)s.")
        return [*ways, text % {"group": case.group, "moment": moment}]
    # The nearest first; three are enough to act on.
    order = sorted(stopped, key=nearest)
    lines = [line for agent, stops in order if (line := _remedy(agent, stops, case))]
    if not lines and all(is_barred(stops) for _agent, stops in stopped):
        lines = [_("Someone becomes a member of the group %(group)s.") % {"group": case.group}]
    return [*ways, *lines[:3]]


def _deadline_remedy(case: Case) -> list[str]:
    if case.deadline_at is None:
        return []
    values = {"moment": at_moment(case.deadline_at, case.at, case.zone), "group": case.group}
    if case.is_assigned:
        return [_("It returns to the group %(group)s %(moment)s at the latest.") % values]
    return [
        _("After the wait for a skill, any member of the group can take it (%(moment)s).") % values
    ]


def _remedy(agent: AgentCase, in_the_way: Sequence[Obstacle], case: Case) -> str:
    """Say what one agent would have to do.

    Empty if more than two things stop them, or if they may not have it at all.
    """
    if is_barred(in_the_way):
        return ""
    steps = [_step(one, agent, case) for one in in_the_way if one.kind != BlockReason.GROUP_CLOSED]
    return (
        ""
        if len(steps) > 2
        else _("%(name)s %(steps)s.")
        % {
            "name": agent.name,
            "steps": _(" and ").join(steps),
        }
    )


def _step(obstacle: Obstacle, agent: AgentCase, case: Case) -> str:
    values = {
        "group": case.group,
        "channel": case.channel,
        "skills": skill_names(obstacle.skill_ids, case),
    }
    match obstacle.kind:
        case BlockReason.OFFLINE:
            return pgettext("an agent", "opens the desk")
        case BlockReason.UNAVAILABLE:
            return pgettext("an agent", "becomes available on %(channel)s") % values
        case BlockReason.FULL:
            return pgettext("an agent", "ends or sets aside a conversation, or gets another slot")
        case BlockReason.NO_SLOTS:
            return pgettext("an agent", "gets slots on %(channel)s") % values
        case BlockReason.LACKS_SKILL:
            return pgettext("an agent", "gets %(skills)s") % values
        case _:
            return pgettext("an agent", "becomes a member of the group %(group)s") % values
