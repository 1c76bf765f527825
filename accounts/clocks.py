"""A website's clock through its past: which time zone it had when (C57).

Pure: no Django. A day of a report lies between two midnights; whoever gives a website another time
zone moves the days that come, not those that were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Clock(tzinfo):
    """``past`` are (until when, zone), the oldest first; from the last of them on it is ``now``."""

    past: tuple[tuple[datetime, ZoneInfo], ...]
    now: ZoneInfo

    def spans(self) -> Iterator[tuple[datetime, datetime, ZoneInfo]]:
        """From when to when it was which zone."""
        bounds = [BEGINNING, *(until for until, _zone in self.past), END]
        zones = [*(zone for _until, zone in self.past), self.now]
        for (since, until), zone in zip(pairwise(bounds), zones, strict=True):
            yield since, until, zone

    def zone_at(self, at: datetime) -> ZoneInfo:
        """The zone of a moment."""
        return next((zone for until, zone in self.past if at < until), self.now)

    def utcoffset(self, wall: datetime | None) -> timedelta | None:
        """Of a time that comes twice, the first one, or with ``fold`` the second. Of one that a
        change of zones skips: that of the change, whatever the wall says."""
        if wall is None:
            return None
        bare = wall.replace(tzinfo=None)
        found = [moment for moment in self._moments(bare, wall.fold) if moment is not None]
        at = found[-1 if wall.fold else 0] if found else self._skipped(bare)
        return bare - at.replace(tzinfo=None)

    def _moments(self, bare: datetime, fold: int) -> Iterator[datetime | None]:
        for since, until, zone in self.spans():
            at = bare.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            yield at if since <= at < until else None

    def _skipped(self, bare: datetime) -> datetime:
        """The change at which a wall time was skipped: before it the old zone had not come so far,
        after it the new one was past it."""
        for (_since, until, old), (_from, _to, new) in pairwise(self.spans()):
            before = until.astimezone(old).replace(tzinfo=None)
            after = until.astimezone(new).replace(tzinfo=None)
            if before <= bare < after:
                return until
        return bare.replace(tzinfo=self.now).astimezone(UTC)

    def fromutc(self, at: datetime) -> datetime:
        """The wall time of a moment."""
        moment = at.replace(tzinfo=UTC)
        wall = moment.astimezone(self.zone_at(moment))
        told = wall.replace(tzinfo=self)
        if told.astimezone(UTC) != moment:
            told = told.replace(fold=1 - wall.fold)
        return told

    def dst(self, wall: datetime | None) -> timedelta | None:
        return None

    def tzname(self, wall: datetime | None) -> str:
        return self.now.key


def clock_of(zone: ZoneInfo, past: Iterable[Mapping[str, str]]) -> tzinfo:
    """The clock of a website whose zone is ``zone`` now and was others: ``past`` is what is stored
    of them, ``until`` in ISO 8601 and ``zone``. The zone alone where it was never another."""
    told = sorted((datetime.fromisoformat(one["until"]), ZoneInfo(one["zone"])) for one in past)
    if all(one == zone for _until, one in told):
        return zone
    return Clock(tuple((until.astimezone(UTC), one) for until, one in told), zone)
