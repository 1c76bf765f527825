"""What conditions of a scenario can ask about a conversation, read from the database."""

from __future__ import annotations

from datetime import datetime

from accounts.models import Channel
from conversations.models import Conversation
from conversations.visitors import page_views
from routing import engagement, load
from routing.bots.plays import Facts
from routing.bots.scenario import Scenario
from routing.models import DistributionRule


def facts_of(conversation: Conversation, plan: Scenario, *, at: datetime) -> Facts:
    """Return the facts of this moment. Rules are read only if the scenario asks about them."""
    visitor = conversation.visitor
    profile = page_views.profile_of(conversation.visitor_id)
    pages = page_views.pages_of(conversation.visitor_id)[:1]
    asked = _rules_asked(plan)
    is_open: dict[str, bool] = {}
    places: dict[str, int] = {}
    agents: dict[str, int] = {}
    for name, rule in _rules(conversation, asked).items():
        steps = engagement.steps_of(rule)
        channel = Channel(conversation.channel)
        is_open[name] = not engagement.is_closed(steps, at)
        loads = load.steps_of(steps, channel, at=at, skills=conversation.required_skills)
        places[name] = sum(max(one.places - one.waiting, 0) for one in loads if one.gives_places)
        agents[name] = sum(load.free_slots(one.group_id, channel, at=at) for one in steps)
    return Facts(
        language=conversation.language,
        page=pages[0].url if pages else conversation.page_url,
        visitor={
            "name": visitor.name,
            "device": profile.device if profile else "",
            "returning": visitor.conversations.exclude(pk=conversation.pk).exists(),
            "known": visitor.person_id is not None,
        },
        data=profile.data if profile else {},
        is_open=is_open,
        places=places,
        agents=agents,
    )


def _rules_asked(plan: Scenario) -> set[str]:
    return {
        branch.get("name", "")
        for step in plan.steps.values()
        for branch in step.get("branches", ())
        if branch["source"] in ("hours", "places", "agents")
    }


def _rules(conversation: Conversation, names: set[str]) -> dict[str, DistributionRule]:
    """Return rules by the name that the scenario uses; the empty name is the conversation's own."""
    wanted = DistributionRule.objects.filter(
        website=conversation.website_id, name__in=names - {""}, is_enabled=True
    )
    rules = {rule.name: rule for rule in wanted}
    if "" in names and conversation.rule is not None:
        rules[""] = conversation.rule
    return rules


def rule_named(conversation: Conversation, name: str) -> DistributionRule | None:
    """Return the rule that an escalation names, or the conversation's own if it is empty or has
    gone meanwhile."""
    return _rules(conversation, {name}).get(name, conversation.rule)
