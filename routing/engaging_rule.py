"""The targeting rule by which a first message enters."""

from __future__ import annotations

from datetime import datetime

from accounts.models import Group, Website
from routing.models import TargetingRule
from routing.targeting import Hours, PageView, Target, first_match


def engaging_rule(
    website: Website, view: PageView, *, engaged_by: int | None = None, at: datetime
) -> TargetingRule | None:
    """Return the rule that engaged the visitor, if it is enabled and still matches the page.

    Otherwise return the first that matches now, or ``None``. A browser may report any page, but
    reaches nothing that the website does not offer to such a page.
    """
    rules = list(TargetingRule.deciding(website).select_related("rule__bot", "calls_rule"))
    engaged = [rule for rule in rules if rule.pk == engaged_by]
    for candidates in (engaged, rules):
        targets = [rule.as_target() for rule in candidates]
        matched = first_match(targets, view, lambda target: _hours(target, at)).target
        if matched is not None:
            return next(rule for rule in candidates if rule.pk == matched.id)
    return None


def _hours(target: Target, at: datetime) -> Hours:
    groups = Group.objects.filter(steps__rule=target.rule_id)
    return Hours(is_open=any(group.is_open_at(at) for group in groups))
