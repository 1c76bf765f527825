"""The findings of ``routing.warnings`` as text, for the users who may act on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import hours, rights
from accounts.models import Agent, Group, Skill, User, Website, schedule_of
from routing import warnings
from routing.models import Bot, DistributionRule, TargetingRule
from routing.warnings import Finding, Kind

WEBSITE, RULE, TARGETING, GROUP, AGENT, BOT, SKILL = (
    model._meta.label_lower
    for model in (Website, DistributionRule, TargetingRule, Group, Agent, Bot, Skill)
)

# Kind: (model of the object, model of the others, problem, remedy). {name} is the object, {others}
# are those involved.
WORDS: dict[Kind, tuple[str, str, Any, Any]] = {
    Kind.WEBSITE_WITHOUT_DOMAINS: (
        WEBSITE,
        "",
        gettext_lazy("{name} has no domain, so the Messenger does not appear anywhere."),
        gettext_lazy("Enter the hosts of its pages."),
    ),
    Kind.WEBSITE_WITHOUT_RULE: (
        WEBSITE,
        "",
        gettext_lazy("{name} has no enabled distribution rule, so no visitors are engaged."),
        gettext_lazy("Create a rule or enable one."),
    ),
    Kind.RULE_WITHOUT_GROUPS: (
        RULE,
        "",
        gettext_lazy("The rule {name} leads to no group, so it engages no one."),
        gettext_lazy("Add a group and set its places."),
    ),
    Kind.RULE_WITHOUT_AGENTS: (
        RULE,
        "",
        gettext_lazy("No one can ever answer conversations that come through the rule {name}."),
        gettext_lazy("Add members with slots and opening hours to one of its groups."),
    ),
    Kind.RULE_NOT_REACHED: (
        RULE,
        "",
        gettext_lazy("No targeting rule leads to the rule {name}, so it is never used."),
        gettext_lazy("Point a targeting rule to it, or disable it."),
    ),
    Kind.BOT_WITHOUT_TARGETS: (
        RULE,
        BOT,
        gettext_lazy("The bot {others} of the rule {name} has no one to escalate to."),
        gettext_lazy("Add a group with agents who can answer, or remove the bot."),
    ),
    Kind.TARGETING_NEVER_MATCHES: (
        TARGETING,
        TARGETING,
        gettext_lazy(
            "The targeting rule {name} never matches because {others} comes first and "
            "matches everything."
        ),
        gettext_lazy("Move it up, or make the rule before it stricter."),
    ),
    Kind.TARGETING_OF_DISABLED_RULE: (
        TARGETING,
        RULE,
        gettext_lazy("The targeting rule {name} leads to {others}, which is disabled."),
        gettext_lazy("Enable that rule or choose another one."),
    ),
    Kind.TARGETING_ONLY_WHILE_CLOSED: (
        TARGETING,
        RULE,
        gettext_lazy("{name} engages only outside opening hours, but {others} has no places then."),
        gettext_lazy("Let a group of the rule keep its places outside opening hours."),
    ),
    Kind.SKILL_NOBODY_HAS: (
        TARGETING,
        SKILL,
        gettext_lazy("{name} requires skills that no agent of its rule has together: {others}."),
        gettext_lazy("Add them to an agent, or limit the wait for a skill in the rule."),
    ),
    Kind.GROUP_IN_BOTH: (
        GROUP,
        "",
        gettext_lazy("The group {name} is live (0 places) in one rule and has a queue in another."),
        gettext_lazy("Agents working the queue miss live visitors. Use two groups."),
    ),
    Kind.GROUP_WITHOUT_MEMBERS: (
        GROUP,
        "",
        gettext_lazy("The group {name} receives conversations but has no members."),
        gettext_lazy("Add members, or remove the group from its rules."),
    ),
    Kind.GROUP_WITHOUT_SLOTS: (
        GROUP,
        "",
        gettext_lazy("No member of the group {name} can take a conversation."),
        gettext_lazy("Give slots to a member, or add one who has slots and can log in."),
    ),
    Kind.GROUP_NEVER_OPEN: (
        GROUP,
        "",
        gettext_lazy("The group {name} never opens."),
        gettext_lazy("Correct its opening hours and holidays."),
    ),
    Kind.TIMER_TOO_SHORT: (
        GROUP,
        "",
        gettext_lazy("The answer timer of the group {name} is too short to read and answer."),
        gettext_lazy("Give agents at least 15 seconds."),
    ),
    Kind.AGENT_IN_BOTH: (
        AGENT,
        GROUP,
        gettext_lazy("{name} is in live groups and in groups with a queue: {others}."),
        gettext_lazy(
            "The queue fills the slots that live visitors need. Choose one kind of group."
        ),
    ),
    Kind.AGENT_WITHOUT_SLOTS: (
        AGENT,
        "",
        gettext_lazy("{name} has no slots, so they receive no conversations."),
        gettext_lazy("Set slots for a channel, or remove the agent from their groups."),
    ),
}
MODELS: dict[str, type[Model]] = {
    WEBSITE: Website,
    RULE: DistributionRule,
    TARGETING: TargetingRule,
    GROUP: Group,
    AGENT: Agent,
    BOT: Bot,
    SKILL: Skill,
}


@dataclass(frozen=True, slots=True)
class Advice:
    """One finding as text; ``url`` opens the object where it can be fixed."""

    kind: Kind
    model: str
    id: int
    problem: str
    remedy: str
    where: str
    url: str
    involved: frozenset[tuple[str, int]]


def for_user(user: User, *, at: datetime) -> list[Advice]:
    """Return what this user can fix or see: everything for administrators and auditors, what
    concerns their groups for others."""
    findings = warnings.find(settings(at=at))
    if not rights.sees_everything(user):
        mine = {
            GROUP: set(rights.groups_of(user).values_list("pk", flat=True)),
            AGENT: set(rights.agents_of(user).values_list("pk", flat=True)),
        }
        findings = [
            finding
            for finding in findings
            if finding.id in mine.get(WORDS[finding.kind][0], set())
            and finding.kind not in {Kind.GROUP_IN_BOTH, Kind.TIMER_TOO_SHORT}
        ]
    return _in_words(findings)


def about(obj: Model, user: User, *, at: datetime) -> list[Advice]:
    """Return what concerns one object, for its page."""
    key = (obj._meta.label_lower, obj.pk)
    if key[0] not in MODELS:
        return []
    return [advice for advice in for_user(user, at=at) if key in advice.involved]


def settings(*, at: datetime) -> warnings.Settings:
    """Return all settings as plain data, in a constant number of queries."""
    groups = Group.objects.select_related("website").prefetch_related(
        "members", "opening_hours", "holidays", "website__holidays"
    )
    agents = Agent.objects.select_related("user").prefetch_related("channels", "skills")
    rules = DistributionRule.objects.prefetch_related("steps")
    targetings = (
        TargetingRule.objects.filter(is_enabled=True)
        .order_by("website", "position", "pk")
        .prefetch_related("conditions", Prefetch("skills", Skill.objects.only("pk")))
    )
    return warnings.Settings(
        websites=tuple(
            warnings.Website(website.pk, tuple(website.domains))
            for website in Website.objects.all()
        ),
        agents=tuple(
            warnings.Agent(
                id=agent.pk,
                slots=sum(channel.slots for channel in agent.channels.all()),
                is_active=agent.user.converses,
                skills=frozenset(skill.pk for skill in agent.skills.all()),
            )
            for agent in agents
        ),
        groups=tuple(
            warnings.Group(
                id=group.pk,
                website_id=group.website_id,
                members=frozenset(agent.pk for agent in group.members.all()),
                ever_opens=hours.next_opening(schedule_of(group), at) is not None,
                keeps_places=group.keeps_places_when_closed,
                answer_seconds=group.answer_seconds,
            )
            for group in groups
        ),
        rules=tuple(
            warnings.Rule(
                id=rule.pk,
                website_id=rule.website_id,
                queues=tuple(
                    warnings.Queue(step.group_id, step.places) for step in rule.steps.all()
                ),
                is_enabled=rule.is_enabled,
                bot_id=rule.bot_id,
                relaxes=rule.skill_relax_seconds is not None,
            )
            for rule in rules
        ),
        targetings=tuple(warnings.Targeting(row.website_id, row.as_target()) for row in targetings),
    )


def _in_words(findings: list[Finding]) -> list[Advice]:
    names = _names(findings)
    sentences = []
    for finding in findings:
        model, others_model, problem, remedy = WORDS[finding.kind]
        name = names.get((model, finding.id), f"#{finding.id}")
        others = [(others_model, pk) for pk in finding.others]
        listed = ", ".join(names.get(other, f"#{other[1]}") for other in others)
        app, model_name = model.split(".")
        sentences.append(
            Advice(
                kind=finding.kind,
                model=model,
                id=finding.id,
                problem=str(problem).format(name=_quoted(name), others=_quoted(listed)),
                remedy=str(remedy),
                where=name,
                url=reverse(f"admin:{app}_{model_name}_change", args=[finding.id]),
                involved=frozenset({(model, finding.id), *others}),
            )
        )
    return sentences


def _quoted(name: str) -> str:
    return _("“%(name)s”") % {"name": name}


def _names(findings: list[Finding]) -> dict[tuple[str, int], str]:
    wanted: dict[str, set[int]] = {}
    for finding in findings:
        model, others_model, _problem, _remedy = WORDS[finding.kind]
        wanted.setdefault(model, set()).add(finding.id)
        if others_model:
            wanted.setdefault(others_model, set()).update(finding.others)
    return {
        (model, row.pk): str(row)
        for model, keys in wanted.items()
        for row in MODELS[model]._default_manager.filter(pk__in=keys)
    }
