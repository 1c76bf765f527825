"""A website's time zones over time, as one ``tzinfo`` (C57).

Pure: no Django. A day in a report lies between two midnights. A change of the website's time zone
moves future days, not past ones.
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
    """A time zone that changes. ``past`` holds (until, zone), the oldest first; ``now`` applies
    after the last of them."""

    past: tuple[tuple[datetime, ZoneInfo], ...]
    now: ZoneInfo

    def spans(self) -> Iterator[tuple[datetime, datetime, ZoneInfo]]:
        """Yield each zone as (since, until, zone)."""
        bounds = [BEGINNING, *(until for until, _zone in self.past), END]
        zones = [*(zone for _until, zone in self.past), self.now]
        for (since, until), zone in zip(pairwise(bounds), zones, strict=True):
            yield since, until, zone

    def zone_at(self, at: datetime) -> ZoneInfo:
        """Return the zone at a moment."""
        return next((zone for until, zone in self.past if at < until), self.now)

    def utcoffset(self, wall: datetime | None) -> timedelta | None:
        """Return the offset of a wall time. If the time occurs twice, it is that of the first, or
        with ``fold`` that of the second. If a change of zones skips it, the moment is that of the
        change."""
        if wall is None:
            return None
        bare = wall.replace(tzinfo=None)
        moments = [moment for moment in self._moments(bare, wall.fold) if moment is not None]
        at = moments[-1 if wall.fold else 0] if moments else self._skipped(bare)
        return bare - at.replace(tzinfo=None)

    def _moments(self, bare: datetime, fold: int) -> Iterator[datetime | None]:
        for since, until, zone in self.spans():
            at = bare.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            yield at if since <= at < until else None

    def _skipped(self, bare: datetime) -> datetime:
        """Return the moment of the zone change that skipped a wall time: the old zone had not yet
        reached it, and the new zone was already past it."""
        for (_since, until, old), (_from, _to, new) in pairwise(self.spans()):
            before = until.astimezone(old).replace(tzinfo=None)
            after = until.astimezone(new).replace(tzinfo=None)
            if before <= bare < after:
                return until
        return bare.replace(tzinfo=self.now).astimezone(UTC)

    def fromutc(self, at: datetime) -> datetime:
        """Return the wall time of a moment."""
        moment = at.replace(tzinfo=UTC)
        wall = moment.astimezone(self.zone_at(moment))
        local = wall.replace(tzinfo=self)
        # Around a change of zones a wall time may occur twice without either zone knowing.
        if local.astimezone(UTC) != moment:
            local = local.replace(fold=1 - wall.fold)
        return local

    def dst(self, wall: datetime | None) -> timedelta | None:
        return None

    def tzname(self, wall: datetime | None) -> str:
        return self.now.key


def clock_of(zone: ZoneInfo, past: Iterable[Mapping[str, str]]) -> tzinfo:
    """Return the clock of a website in ``zone``. ``past`` holds its former zones as stored:
    ``until`` in ISO 8601 and ``zone``. Without other former zones, return the zone itself."""
    zones_until = sorted(
        (datetime.fromisoformat(one["until"]), ZoneInfo(one["zone"])) for one in past
    )
    if all(one == zone for _until, one in zones_until):
        return zone
    return Clock(tuple((until.astimezone(UTC), one) for until, one in zones_until), zone)
