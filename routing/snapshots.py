"""What a page view is answered from: a copy of a website's targeting rules and of the room behind
each of them, at most two seconds old (docs/adr/0013-page-views-from-a-snapshot.md).

Each process keeps the copies that it reads from Valkey; there one process at a time renews a
website's, once a second while anybody asks. A warm answer asks the database nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Self
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connections
from redis.asyncio import Redis
from redis.exceptions import RedisError

from accounts.models import Channel, Website
from conversations.facts import Fact
from routing import load, opening
from routing.decisions import choose_step
from routing.models import DistributionRule, RuleStep, TargetingRule
from routing.targeting import Condition, Hours, PageView, Target, first_match

logger = logging.getLogger(__name__)

LIMIT = 2.0  # seconds; no answer is made from anything older
RENEWED = 1.0  # seconds; how old a copy gets while people ask
LOOK = 0.05  # seconds for which a process does not look into Valkey again
TURN = 5.0  # seconds; whoever renews a copy and dies is waited for that long at most
PATIENCE = 2.0  # seconds that an answer may wait for the database
PAUSE = 0.02
VALKEY_SECONDS = 0.5
KEPT = 1000  # websites of which one process keeps a copy
AGAIN_LIMIT = 3600  # seconds; who looks at a page for longer will turn to another

NO_RULE, NO_ROOM, CLOSED = "no_rule", "no_room", "closed"

# The copy, the version it must have, and whether it is the caller's turn to renew it: once in a
# while, and at once where the version is another.
LOOK_UP = """
    local version = redis.call('GET', KEYS[2]) or '0'
    local is_my_turn = redis.call('GET', KEYS[3]) ~= version
    if is_my_turn then redis.call('SET', KEYS[3], version, 'PX', ARGV[1]) end
    return {redis.call('GET', KEYS[1]), tonumber(version), is_my_turn and 1 or 0}
"""
# Whoever was overtaken by a change keeps what he has to himself.
PUT_DOWN = """
    if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    redis.call('PEXPIRE', KEYS[3], ARGV[4])
    return 1
"""
VERSION = "{engagement}:version"


class Unavailable(Exception):
    """Neither a copy nor the database is at hand."""


# --- What it holds ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Room:
    """What stands behind a targeting rule: whether a conversation could begin now, and whether
    any of its groups is open; ``changes_at`` is when that changes. ``answered_from``: what begins
    now waits in a closed group, which opens then."""

    has_room: bool
    is_asynchronous: bool
    is_open: bool
    changes_at: datetime | None = None
    answered_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Brand:
    """What a page must know of its website to show the button."""

    website_id: int
    name: str
    accent: str
    language: str
    domains: tuple[str, ...]
    side: str = "end"
    stays_open: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What one page is told. ``target`` is the targeting rule that decided, with room or not;
    ``again_in`` are the seconds after which to ask again."""

    target: Target | None = None
    room: Room | None = None
    again_in: int | None = None

    @property
    def may_engage(self) -> bool:
        return self.room is not None and self.room.has_room

    @property
    def is_asynchronous(self) -> bool:
        return self.room is not None and self.room.is_asynchronous

    @property
    def reason(self) -> str:
        """Why not; empty where it may."""
        if self.room is None:
            return NO_RULE
        if self.room.has_room:
            return ""
        return NO_ROOM if self.room.is_open else CLOSED

    @property
    def opens_at(self) -> datetime | None:
        """When somebody will answer, where all are away until then and that is known (B4)."""
        if self.room is None:
            return None
        return self.room.changes_at if self.reason == CLOSED else self.room.answered_from

    @property
    def shows(self) -> bool:
        """Whether the button is there though nobody can be engaged: to say when the team is back,
        never where that is unknown (B4)."""
        wanted = self.target is not None and self.target.shows_when_closed
        return wanted and not self.may_engage and self.opens_at is not None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A website as page views are answered from it."""

    brand: Brand
    targets: tuple[Target, ...]
    rooms: dict[int, Room]  # by targeting rule

    def answer(self, view: PageView, *, at: datetime) -> Answer:
        """May the Messenger appear on this page, and if not, why (R42, R43, C18)?"""
        match = first_match(self.targets, view, lambda target: self._hours(target, at))
        waits = [] if match.again_in is None else [match.again_in]
        room = self.rooms[match.target.id] if match.target else None
        answer = Answer(match.target, room)
        if answer.opens_at is not None:
            waits.append(max(int((answer.opens_at - at).total_seconds()), 1))
        again_in = min(waits, default=AGAIN_LIMIT + 1)
        return Answer(match.target, room, again_in if again_in <= AGAIN_LIMIT else None)

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
    """A snapshot of the website with this key, as it is now; ``None`` where there is none."""
    website = Website.objects.filter(key=key).first()
    if website is None:
        return None
    targets = tuple(rule.as_target() for rule in TargetingRule.deciding(website))
    return Snapshot(
        brand=_brand(website),
        targets=targets,
        rooms=rooms_of(targets, at=at),
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
    )


def rooms_of(
    targets: Iterable[Target], *, at: datetime, channel: Channel = Channel.CHAT
) -> dict[int, Room]:
    """The room behind each targeting rule, by its id. Not locked: the first message decides."""
    targets = list(targets)
    rules = DistributionRule.objects.in_bulk({target.rule_id for target in targets})
    steps: dict[int, list[RuleStep]] = {rule_id: [] for rule_id in rules}
    for step in (
        RuleStep.objects.filter(rule__in=rules)
        .select_related("group__website")
        .order_by("position", "pk")
    ):
        steps[step.rule_id].append(step)
    wanted = {(target.rule_id, target.skills) for target in targets}
    found = {
        (rule_id, skills): _room_of(rules[rule_id].mode, steps[rule_id], skills, channel, at=at)
        for rule_id, skills in wanted
    }
    return {target.id: found[target.rule_id, target.skills] for target in targets}


def _room_of(
    mode: str, steps: list[RuleStep], skills: tuple[int, ...], channel: Channel, *, at: datetime
) -> Room:
    entry = choose_step(mode, load.steps_of(steps, channel, at=at, skills=skills))
    chosen = next((step for step in steps if entry and step.pk == entry.step_id), None)
    open_groups = [step.group for step in steps if step.group.is_open_at(at)]
    if open_groups:
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


# --- Between processes ------------------------------------------------------------------------


@dataclass(slots=True)
class _Copy:
    """What a process knows of one website, until ``good_until`` (monotonic)."""

    text: bytes
    snapshot: Snapshot | None
    good_until: float


class Shelf:
    """The copies of one process (one event loop)."""

    def __init__(self) -> None:
        self._valkey: Redis = Redis.from_url(
            str(settings.CACHES["default"]["LOCATION"]),
            socket_timeout=VALKEY_SECONDS,
            socket_connect_timeout=VALKEY_SECONDS,
        )
        self._look_up = self._valkey.register_script(LOOK_UP)
        self._put_down = self._valkey.register_script(PUT_DOWN)
        self._copies: dict[str, _Copy] = {}
        self._looks: dict[str, asyncio.Task[Snapshot | None]] = {}
        self._renewals: set[asyncio.Task[Any]] = set()
        self._valkey_is_away_until = 0.0
        self._database_is_away_until = 0.0

    async def get(self, key: str, *, at: datetime) -> Snapshot | None:
        """The website as of now or a moment ago; ``None`` where nobody has this key.

        Raises ``Unavailable``. However many ask at once, one looks for all of them.
        """
        copy = self._copies.get(key)
        if copy is not None and monotonic() < copy.good_until:
            return copy.snapshot
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = asyncio.create_task(self._look(key, at))
            look.add_done_callback(lambda _done: self._looks.pop(key, None))
        return await asyncio.shield(look)

    async def close(self) -> None:
        """Forget everything and leave Valkey."""
        under_way = [*self._looks.values(), *self._renewals]
        await asyncio.gather(*under_way, return_exceptions=True)
        self._copies.clear()
        await self._valkey.aclose()

    async def _look(self, key: str, at: datetime) -> Snapshot | None:
        if monotonic() < self._valkey_is_away_until:
            return await self._alone(key, at)
        try:
            return await self._shared(key, at)
        except (RedisError, OSError, TimeoutError):
            logger.warning("page views are answered without Valkey", exc_info=True)
            self._valkey_is_away_until = monotonic() + RENEWED
            return await self._alone(key, at)

    async def _shared(self, key: str, at: datetime) -> Snapshot | None:
        give_up = monotonic() + PATIENCE
        while True:
            text, version, is_my_turn = await self._read(key)
            is_good = text is not None and text.startswith(b"%d " % version)
            if text is not None and is_good:
                if is_my_turn:
                    renewal = asyncio.create_task(self._renew_quietly(key, version, at))
                    self._renewals.add(renewal)  # The loop keeps only weak references to tasks.
                    renewal.add_done_callback(self._renewals.discard)
                return self._keep(key, text, LOOK)
            if is_my_turn or monotonic() > give_up:
                return await self._renew(key, version, at)
            await asyncio.sleep(PAUSE)  # Somebody is at it.

    async def _read(self, key: str) -> tuple[bytes | None, int, bool]:
        """The shared copy, the version it must have, and whether it is ours to renew it."""
        text, version, is_my_turn = await self._look_up(keys=_keys(key), args=[_ms(TURN)])
        return text, int(version), bool(is_my_turn)

    async def _renew_quietly(self, key: str, version: int, at: datetime) -> None:
        """Others are answered from the old copy meanwhile; if this fails, it ends by itself."""
        try:
            await self._renew(key, version, at)
        except (Unavailable, RedisError, OSError):
            logger.warning("the copy of a website could not be renewed", exc_info=True)

    async def _renew(self, key: str, version: int, at: datetime) -> Snapshot | None:
        began = monotonic()
        snapshot = await self._ask_database(key, at)
        text = _text(version, snapshot)
        left = LIMIT - LOOK - (monotonic() - began)
        await self._put_down(keys=_keys(key), args=[version, text, _ms(left), _ms(RENEWED)])
        return self._keep(key, text, LOOK)

    async def _alone(self, key: str, at: datetime) -> Snapshot | None:
        """Without Valkey each process asks the database for itself, once a second."""
        return self._keep(key, _text(0, await self._ask_database(key, at)), RENEWED)

    async def _ask_database(self, key: str, at: datetime) -> Snapshot | None:
        if monotonic() < self._database_is_away_until:
            raise Unavailable
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.to_thread(_take_in_thread, key, at)
        except Exception as error:
            self._database_is_away_until = monotonic() + RENEWED
            raise Unavailable from error

    def _keep(self, key: str, text: bytes, seconds: float) -> Snapshot | None:
        """Remember a copy; one that has not changed is not read again."""
        copy = self._copies.pop(key, None)
        if copy is None or copy.text != text:
            written = text.partition(b" ")[2]
            copy = _Copy(text, Snapshot.decode(written) if written else None, 0.0)
        copy.good_until = monotonic() + seconds
        self._copies[key] = copy  # At the end: the first one was asked for longest ago.
        if len(self._copies) > KEPT:
            del self._copies[next(iter(self._copies))]
        return copy.snapshot


def _take_in_thread(key: str, at: datetime) -> Snapshot | None:
    try:
        return take(key, at=at)
    finally:
        connections.close_all()  # back to the pool; this thread may not be used again soon


def _text(version: int, snapshot: Snapshot | None) -> bytes:
    return f"{version} {snapshot.encode() if snapshot else ''}".encode()


def _keys(key: str) -> list[str]:
    """In one slot of a cluster, as a script needs them."""
    return [f"{{engagement}}:website:{key}", VERSION, f"{{engagement}}:turn:{key}"]


def _ms(seconds: float) -> int:
    return max(int(seconds * 1000), 1)


_shelves: WeakKeyDictionary[asyncio.AbstractEventLoop, Shelf] = WeakKeyDictionary()


def shelf() -> Shelf:
    """The shelf of the running event loop."""
    return _shelves.setdefault(asyncio.get_running_loop(), Shelf())


async def close() -> None:
    """Close the shelf of this event loop, if there is one."""
    opened = _shelves.pop(asyncio.get_running_loop(), None)
    if opened is not None:
        await opened.close()


async def outdate(_fact: Fact) -> None:
    """Reaction: a setting changed; no copy made before is good any more, in any process (R216).

    It may be lost, with Valkey: then the copies end by their age.
    """
    async with Redis.from_url(
        str(settings.CACHES["default"]["LOCATION"]),
        socket_timeout=VALKEY_SECONDS,
        socket_connect_timeout=VALKEY_SECONDS,
    ) as valkey:
        await valkey.incr(VERSION)
