"""The data from which page views are answered: a website's targeting rules and the room behind
each (docs/adr/0013-page-views-from-a-snapshot.md). ``snapshot_cache`` holds copies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from accounts.models import Channel, Website
from routing import call_offers, load, opening
from routing.call_offers import NO_CALLS, CallOffer
from routing.decisions import choose_step
from routing.models import DistributionRule, RuleStep, TargetingRule
from routing.targeting import Condition, Hours, PageView, Target, first_match

AGAIN_LIMIT = 3600  # seconds; nobody views one page for longer

NO_RULE, NO_ROOM, CLOSED = "no_rule", "no_room", "closed"

# --- Contents ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Room:
    """The state behind a targeting rule: whether it has room, and whether a group is open.

    ``changes_at`` is when that changes. ``answered_from``: what starts now waits in a closed group,
    which opens then.
    """

    has_room: bool
    is_asynchronous: bool
    is_open: bool
    changes_at: datetime | None = None
    answered_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Brand:
    """What a page needs of its website to show the button."""

    website_id: int
    name: str
    accent: str
    language: str
    domains: tuple[str, ...]
    side: str = "end"
    stays_open: bool = True
    has_calls: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one page. ``target`` is the targeting rule that decided, with room or without.

    ``again_in``: seconds after which to ask again.
    """

    target: Target | None = None
    room: Room | None = None
    again_in: int | None = None
    calls: CallOffer = NO_CALLS

    @property
    def may_engage(self) -> bool:
        return self.room is not None and self.room.has_room

    @property
    def is_asynchronous(self) -> bool:
        return self.room is not None and self.room.is_asynchronous

    @property
    def reason(self) -> str:
        """Why the page may not engage; empty if it may."""
        if self.room is None:
            return NO_RULE
        if self.room.has_room:
            return ""
        return NO_ROOM if self.room.is_open else CLOSED

    @property
    def opens_at(self) -> datetime | None:
        """When somebody will answer, if all are away until then and it is known (B4)."""
        if self.room is None:
            return None
        return self.room.changes_at if self.reason == CLOSED else self.room.answered_from

    @property
    def shows(self) -> bool:
        """Whether the button is shown though nobody can be engaged, to say when the team is back.

        Never if that is unknown (B4).
        """
        wanted = self.target is not None and self.target.shows_when_closed
        return wanted and not self.may_engage and self.opens_at is not None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A website, as page views need it."""

    brand: Brand
    targets: tuple[Target, ...]
    rooms: dict[int, Room]  # by targeting rule
    calls: dict[int, CallOffer] = field(default_factory=dict)  # where calls are offered

    def answer(self, view: PageView, *, at: datetime) -> Answer:
        """Decide whether the Messenger may appear on this page, and why not (R42, R43, C18)."""
        match = first_match(self.targets, view, lambda target: self._hours(target, at))
        waits = [] if match.again_in is None else [match.again_in]
        room = self.rooms[match.target.id] if match.target else None
        answer = Answer(match.target, room)
        if answer.opens_at is not None:
            waits.append(max(int((answer.opens_at - at).total_seconds()), 1))
        again_in = min(waits, default=AGAIN_LIMIT + 1)
        calls = self.calls.get(match.target.id) if match.target else None
        return replace(
            answer,
            again_in=again_in if again_in <= AGAIN_LIMIT else None,
            calls=calls or NO_CALLS,
        )

    def _hours(self, target: Target, at: datetime) -> Hours:
        room = self.rooms[target.id]
        if room.changes_at is None:
            return Hours(room.is_open)
        return Hours(room.is_open, int((room.changes_at - at).total_seconds()))

    def encode(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        read = json.loads(text)
        brand = read["brand"] | {"domains": tuple(read["brand"]["domains"])}
        return cls(
            brand=Brand(**brand),
            targets=tuple(map(_target, read["targets"])),
            rooms={int(target_id): _room(room) for target_id, room in read["rooms"].items()},
            # ``get``: a copy in Valkey may be that of an earlier version, which had no calls.
            calls={
                int(target_id): CallOffer(**one) for target_id, one in read.get("calls", {}).items()
            },
        )


def _target(read: dict[str, Any]) -> Target:
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in read.items()
    }
    return Target(**plain | {"conditions": tuple(Condition(**one) for one in read["conditions"])})


def _room(read: dict[str, Any]) -> Room:
    moments = {
        name: datetime.fromisoformat(read[name]) if read[name] else None
        for name in ("changes_at", "answered_from")
    }
    return Room(**read | moments)


# --- From the database ------------------------------------------------------------------------


def take(key: str, *, at: datetime) -> Snapshot | None:
    """Return a snapshot of the website with this key, as of now; ``None`` if there is none."""
    website = Website.objects.filter(key=key).first()
    if website is None:
        return None
    targets = tuple(rule.as_target() for rule in TargetingRule.deciding(website))
    return Snapshot(
        brand=_brand(website),
        targets=targets,
        rooms=rooms_of(targets, at=at),
        calls=call_offers.of_targets(website, targets, at=at),
    )


def _brand(website: Website) -> Brand:
    return Brand(
        website_id=website.pk,
        name=website.name,
        accent=website.accent,
        language=website.language,
        domains=tuple(website.domains),
        side=website.side,
        stays_open=website.stays_open,
        has_calls=website.has_calls,
    )


def rooms_of(
    targets: Iterable[Target], *, at: datetime, channel: Channel = Channel.CHAT
) -> dict[int, Room]:
    """Return the room by targeting rule id. Nothing is locked: the first message decides."""
    targets = list(targets)
    rules = DistributionRule.objects.in_bulk({target.rule_id for target in targets})
    steps: dict[int, list[RuleStep]] = {rule_id: [] for rule_id in rules}
    for step in (
        RuleStep.objects.filter(rule__in=rules)
        .select_related("group__website")
        .order_by("position", "pk")
    ):
        steps[step.rule_id].append(step)
    # Targeting rules that lead to the same queues and ask for the same skills share a room.
    wanted = {(target.rule_id, target.skills) for target in targets}
    rooms = {
        (rule_id, skills): _room_of(rules[rule_id].mode, steps[rule_id], skills, channel, at=at)
        for rule_id, skills in wanted
    }
    return {target.id: rooms[target.rule_id, target.skills] for target in targets}


def _room_of(
    mode: str, steps: list[RuleStep], skills: tuple[int, ...], channel: Channel, *, at: datetime
) -> Room:
    entry = choose_step(mode, load.steps_of(steps, channel, at=at, skills=skills))
    chosen = next((step for step in steps if entry and step.pk == entry.step_id), None)
    open_groups = [step.group for step in steps if step.group.is_open_at(at)]
    if open_groups:
        # Open until the last of the open groups closes; ``None`` is a group that never does.
        changes = [group.hours_change_at for group in open_groups]
        changes_at = None if None in changes else max(changes, default=None)  # type: ignore[type-var]
    else:
        groups = (step.group for step in steps)
        changes_at = opening.back_at(groups, channel, at=at, skills=skills)
    return Room(
        has_room=chosen is not None,
        is_asynchronous=chosen is not None and chosen.places > 0,
        is_open=bool(open_groups),
        changes_at=changes_at,
        answered_from=chosen.group.opens_at(at) if chosen is not None else None,
    )
