"""Parts that are written together with a setting: the queues of a rule, the conditions of a
targeting rule, the members of a group, the groups and slots of an agent.

The functions change only rows that differ, so that the record of changes shows real changes only.
The caller is in a transaction, has locked the setting, and publishes it (``routing.changes``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Agent, AgentChannel, Group, Skill
from routing.models import DistributionRule, RuleStep, TargetingCondition, TargetingRule


def check_steps(rule: DistributionRule, steps: Sequence[tuple[Group, int]]) -> None:
    """Raise ``ValidationError`` unless a rule may have these queues: groups of its website, each
    once, with their places."""
    groups = [group for group, _places in steps]
    if not groups:
        raise ValidationError({"steps": _("A rule needs at least one group.")})
    if len({group.pk for group in groups}) < len(groups):
        raise ValidationError(
            {"steps": _("This group is already in the rule. Add each group once.")}
        )
    for group in groups:
        if group.website_id != rule.website_id:
            text = _("“%(group)s” belongs to another website.") % {"group": group}
            raise ValidationError({"steps": text})


def set_steps(rule: DistributionRule, steps: Sequence[tuple[Group, int]]) -> None:
    """Make these, in this order, the queues of a rule. A queue that stays keeps its row, and so
    what waits in it."""
    check_steps(rule, steps)
    rows = {step.group_id: step for step in rule.steps.all()}
    for position, (group, places) in enumerate(steps):
        step = rows.pop(group.pk, None) or RuleStep(rule=rule, group=group)
        _save(step, position=position, places=places)
    for gone in rows.values():
        gone.delete()


def check_skills(rule: TargetingRule, skills: Iterable[Skill]) -> None:
    if any(skill.website_id != rule.website_id for skill in skills):
        text = _("This skill belongs to another website. Choose a skill of this website.")
        raise ValidationError({"skills": text})


def set_conditions(rule: TargetingRule, conditions: Sequence[Mapping[str, str]]) -> None:
    """Make these the conditions of a targeting rule, by position."""
    rows = list(rule.conditions.order_by("pk"))
    for index, values in enumerate(conditions):
        row = rows[index] if index < len(rows) else TargetingCondition(targeting_rule=rule)
        _save(row, **values)
    for gone in rows[len(conditions) :]:
        gone.delete()


def set_slots(agent: Agent, slots: Mapping[str, int]) -> None:
    """Set the slots of an agent on these channels. Other channels stay as they are."""
    rows = {row.channel: row for row in agent.channels.all()}
    for channel, count in slots.items():
        _save(rows.get(channel) or AgentChannel(agent=agent, channel=channel), slots=count)


def set_groups(agent: Agent, groups: Iterable[Group], *, among: QuerySet[Group]) -> set[int]:
    """Make ``groups`` the agent's groups among those of ``among``; others stay. Return the groups
    that gained or lost the agent."""
    before = set(among.filter(members=agent).values_list("pk", flat=True))
    after = {group.pk for group in groups}
    agent.groups.add(*(after - before))
    agent.groups.remove(*(before - after))
    return before ^ after


def set_members(group: Group, members: Iterable[Agent]) -> set[int]:
    """Make ``members`` the members of a group; return who came or went."""
    before = set(group.members.values_list("pk", flat=True))
    group.members.set(members)
    return before ^ {agent.pk for agent in members}


def _save(row: Model, **values: object) -> None:
    """Save a row if it is new or differs."""
    if row.pk and all(getattr(row, name) == value for name, value in values.items()):
        return
    for name, value in values.items():
        setattr(row, name, value)
    row.full_clean()
    row.save()
