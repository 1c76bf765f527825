"""Whether visitors of a page can ask for a call, and whether an agent answers at once (C41).

Decided again, under locks, when they ask (``engagement.start``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Channel, Website
from routing import load
from routing.decisions import choose_step
from routing.models import DistributionRule, RuleStep
from routing.targeting import Target

NOW, LATER = "now", "later"


@dataclass(frozen=True, slots=True)
class CallOffer:
    """For each channel of calls: ``now`` if an agent is free, ``later`` if visitors can be called
    back, empty if neither."""

    call: str = ""
    video: str = ""

    def __bool__(self) -> bool:
        return bool(self.call or self.video)

    def as_json(self) -> dict[str, str]:
        return {name: when for name, when in (("call", self.call), ("video", self.video)) if when}


NO_CALLS = CallOffer()


def of_targets(
    website: Website, targets: Iterable[Target], *, at: datetime
) -> dict[int, CallOffer]:
    """Return what each targeting rule offers; those without calls are missing."""
    if not website.has_calls:
        return {}
    wanted = {one.id: (one.calls_rule_id, one.skills) for one in targets if one.calls_rule_id}
    rules = DistributionRule.objects.filter(is_enabled=True).in_bulk(
        {rule_id for rule_id, _skills in wanted.values()}
    )
    steps: dict[int, list[RuleStep]] = {rule_id: [] for rule_id in rules}
    for step in (
        RuleStep.objects.filter(rule__in=rules)
        .select_related("group__website")
        .order_by("position", "pk")
    ):
        steps[step.rule_id].append(step)
    channels = [Channel.CALL, Channel.VIDEO] if website.has_video_calls else [Channel.CALL]
    by_target = {}
    for target_id, (rule_id, skills) in wanted.items():
        if rule_id in rules:
            offers = {
                channel.value: _when(rules[rule_id].mode, steps[rule_id], skills, channel, at=at)
                for channel in channels
            }
            by_target[target_id] = CallOffer(**offers)
    return {target_id: offer for target_id, offer in by_target.items() if offer}


def _when(
    mode: str, steps: list[RuleStep], skills: tuple[int, ...], channel: Channel, *, at: datetime
) -> str:
    entry = choose_step(mode, load.steps_of(steps, channel, at=at, skills=skills))
    if entry is None:
        return ""
    step = next(step for step in steps if step.pk == entry.step_id)
    # A queue with places always has room, so this asks whether an agent is free as well.
    return NOW if load.free_slots(step.group_id, channel, skills, at=at) else LATER
