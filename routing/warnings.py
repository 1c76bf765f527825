"""Settings that defeat themselves: a pure function of plain data, without database or texts.

Each finding names the problem and its object; ``routing.advice`` reads the settings and phrases the
remedies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from routing import targeting
from routing.targeting import Target

SHORTEST_TIMER = 15  # seconds; nobody reads and answers in less


class Kind(StrEnum):
    """What is wrong; the name begins with the object concerned."""

    AGENT_IN_BOTH = "agent_in_both"
    GROUP_IN_BOTH = "group_in_both"
    AGENT_WITHOUT_SLOTS = "agent_without_slots"
    GROUP_WITHOUT_MEMBERS = "group_without_members"
    GROUP_WITHOUT_SLOTS = "group_without_slots"
    GROUP_NEVER_OPEN = "group_never_open"
    TIMER_TOO_SHORT = "timer_too_short"
    RULE_WITHOUT_GROUPS = "rule_without_groups"
    RULE_WITHOUT_AGENTS = "rule_without_agents"
    RULE_NOT_REACHED = "rule_not_reached"
    BOT_WITHOUT_TARGETS = "bot_without_targets"
    TARGETING_NEVER_MATCHES = "targeting_never_matches"
    TARGETING_OF_DISABLED_RULE = "targeting_of_disabled_rule"
    TARGETING_ONLY_WHILE_CLOSED = "targeting_only_while_closed"
    SKILL_NOBODY_HAS = "skill_nobody_has"
    WEBSITE_WITHOUT_DOMAINS = "website_without_domains"
    WEBSITE_WITHOUT_RULE = "website_without_rule"


@dataclass(frozen=True, slots=True)
class Agent:
    """``slots`` over all channels; a deactivated account cannot log in."""

    id: int
    slots: int
    is_active: bool = True
    skills: frozenset[int] = frozenset()

    @property
    def can_take(self) -> bool:
        return self.is_active and self.slots > 0


@dataclass(frozen=True, slots=True)
class Group:
    """``ever_opens``: its hours leave at least one opening in the year to come."""

    id: int
    website_id: int
    members: frozenset[int] = frozenset()
    ever_opens: bool = True
    keeps_places: bool = True
    answer_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    group_id: int
    places: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A distribution rule; ``relaxes``: after a while the required skills no longer count."""

    id: int
    website_id: int
    queues: tuple[Queue, ...] = ()
    is_enabled: bool = True
    bot_id: int | None = None
    relaxes: bool = False


@dataclass(frozen=True, slots=True)
class Targeting:
    """An enabled targeting rule; those of a website are in the order of evaluation."""

    website_id: int
    target: Target


@dataclass(frozen=True, slots=True)
class Website:
    id: int
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings that can defeat each other."""

    websites: tuple[Website, ...] = ()
    agents: tuple[Agent, ...] = ()
    groups: tuple[Group, ...] = ()
    rules: tuple[Rule, ...] = ()
    targetings: tuple[Targeting, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: its object, the websites concerned, and the other objects involved."""

    kind: Kind
    id: int
    website_ids: frozenset[int]
    others: tuple[int, ...] = field(default=())


def find(settings: Settings) -> list[Finding]:
    """Return every setting that defeats itself, gravest first: websites, rules, groups, agents."""
    return [
        *_websites(settings),
        *_rules(settings),
        *_targetings(settings),
        *_groups(settings),
        *_agents(settings),
    ]


def _websites(settings: Settings) -> Iterator[Finding]:
    ruled = {rule.website_id for rule in settings.rules if rule.is_enabled}
    for website in settings.websites:
        here = frozenset({website.id})
        if not website.domains:
            yield Finding(Kind.WEBSITE_WITHOUT_DOMAINS, website.id, here)
        if website.id not in ruled:
            yield Finding(Kind.WEBSITE_WITHOUT_RULE, website.id, here)


def _rules(settings: Settings) -> Iterator[Finding]:
    led_to = {one.target.rule_id for one in settings.targetings}
    groups = {group.id: group for group in settings.groups}
    agents = {agent.id: agent for agent in settings.agents}
    for rule in settings.rules:
        if not rule.is_enabled:
            continue
        here = frozenset({rule.website_id})
        reached = [queue for queue in rule.queues if _is_reachable(groups[queue.group_id], agents)]
        if rule.bot_id is not None and not reached:
            yield Finding(Kind.BOT_WITHOUT_TARGETS, rule.id, here, (rule.bot_id,))
        elif not rule.queues:
            yield Finding(Kind.RULE_WITHOUT_GROUPS, rule.id, here)
        elif not reached:
            yield Finding(Kind.RULE_WITHOUT_AGENTS, rule.id, here)
        if rule.id not in led_to:
            yield Finding(Kind.RULE_NOT_REACHED, rule.id, here)


def _is_reachable(group: Group, agents: dict[int, Agent]) -> bool:
    return group.ever_opens and any(agents[pk].can_take for pk in group.members)


def _targetings(settings: Settings) -> Iterator[Finding]:
    rules = {rule.id: rule for rule in settings.rules}
    groups = {group.id: group for group in settings.groups}
    agents = {agent.id: agent for agent in settings.agents}
    asked_before: dict[int, list[Target]] = {}
    for targeting_ in settings.targetings:
        target, here = targeting_.target, frozenset({targeting_.website_id})
        rule = rules[target.rule_id]
        before = asked_before.setdefault(targeting_.website_id, [])
        if not rule.is_enabled:  # then it is skipped, and hides no later one
            yield Finding(Kind.TARGETING_OF_DISABLED_RULE, target.id, here, (rule.id,))
            continue
        covering = next((other for other in before if covers(other, target)), None)
        if covering is not None:
            yield Finding(Kind.TARGETING_NEVER_MATCHES, target.id, here, (covering.id,))
            continue
        before.append(target)
        in_queues = [groups[queue.group_id] for queue in rule.queues]
        takes_closed = any(
            queue.places and groups[queue.group_id].keeps_places for queue in rule.queues
        )
        if target.hours == targeting.CLOSED and in_queues and not takes_closed:
            yield Finding(Kind.TARGETING_ONLY_WHILE_CLOSED, target.id, here, (rule.id,))
        members = {pk for group in in_queues for pk in group.members}
        able = [agents[pk].skills for pk in members if agents[pk].can_take]
        wanted = frozenset(target.skills)
        if wanted and able and not rule.relaxes and not any(wanted <= has for has in able):
            yield Finding(Kind.SKILL_NOBODY_HAS, target.id, here, tuple(sorted(wanted)))


def covers(first: Target, later: Target) -> bool:
    """Return whether ``first`` matches everything that ``later`` matches.

    As far as the rules alone can show: never true by mistake.
    """
    hours = first.hours == targeting.ALWAYS or (
        first.hours == later.hours and first.rule_id == later.rule_id
    )
    return (
        hours
        and _asks_less(first.include, later.include)
        and set(first.exclude) <= set(later.exclude)
        and _speak_less(first.languages, later.languages)
        and _asks_less(first.devices, later.devices)
        and first.audience in {targeting.ANYBODY, later.audience}
        and first.seconds <= later.seconds
        and first.pages <= later.pages
        and set(first.conditions) <= set(later.conditions)
    )


def _asks_less(first: Iterable[str], later: Iterable[str]) -> bool:
    """Compare two lists of what is admitted; an empty one admits all."""
    admitted, wanted = set(first), set(later)
    return not admitted or (bool(wanted) and wanted <= admitted)


def _speak_less(first: Iterable[str], later: Iterable[str]) -> bool:
    """The same for languages, where "fr" admits "fr-CA"."""
    admitted = [f"{one.lower()}-" for one in first]
    wanted = [f"{one.lower()}-" for one in later]
    return not admitted or (
        bool(wanted) and all(any(one.startswith(of) for of in admitted) for one in wanted)
    )


def _groups(settings: Settings) -> Iterator[Finding]:
    agents = {agent.id: agent for agent in settings.agents}
    live, queued = _by_places(settings)
    for group in settings.groups:
        here = frozenset({group.website_id})
        if group.id in live and group.id in queued:
            yield Finding(Kind.GROUP_IN_BOTH, group.id, here)
        if group.answer_seconds is not None and group.answer_seconds < SHORTEST_TIMER:
            yield Finding(Kind.TIMER_TOO_SHORT, group.id, here)
        if group.id not in live | queued:
            continue  # nothing waits for it
        if not group.members:
            yield Finding(Kind.GROUP_WITHOUT_MEMBERS, group.id, here)
        elif not any(agents[pk].can_take for pk in group.members):
            yield Finding(Kind.GROUP_WITHOUT_SLOTS, group.id, here)
        if not group.ever_opens:
            yield Finding(Kind.GROUP_NEVER_OPEN, group.id, here)


def _agents(settings: Settings) -> Iterator[Finding]:
    """R55: agents who serve a queue are busy when a live visitor comes; that breaks the promise."""
    live, queued = _by_places(settings)
    for agent in settings.agents:
        mine = [group for group in settings.groups if agent.id in group.members]
        instant = [group for group in mine if group.id in live - queued]
        waited = [group for group in mine if group.id in queued]
        if not agent.is_active:
            continue
        if instant and waited:
            involved = (*instant, *waited)
            websites = frozenset(group.website_id for group in involved)
            names = tuple(group.id for group in involved)
            yield Finding(Kind.AGENT_IN_BOTH, agent.id, websites, names)
        if mine and agent.slots == 0:
            websites = frozenset(group.website_id for group in mine)
            yield Finding(Kind.AGENT_WITHOUT_SLOTS, agent.id, websites)


def _by_places(settings: Settings) -> tuple[set[int], set[int]]:
    """Return the groups that enabled rules use live (0 places), and those with a queue."""
    queues = [queue for rule in settings.rules if rule.is_enabled for queue in rule.queues]
    live = {queue.group_id for queue in queues if queue.places == 0}
    return live, {queue.group_id for queue in queues if queue.places > 0}
