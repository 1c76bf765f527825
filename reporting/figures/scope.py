"""Of what figures are counted: the websites, the period and the filters of one reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts.models import Website
from accounts.supervision import Oversight
from reporting.figures.measures import Measure, Source
from reporting.figures.period import Period


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader narrows a report to; ``None`` and empty is everything."""

    group: int | None = None
    rule: int | None = None
    agent: int | None = None
    style: str = ""
    language: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """``websites`` are some of those that the reader may see; without one, nothing is counted. Of
    one that he oversees in part (``sight``), only what belongs to his groups is.

    ``period`` are the days of the first website. Where it is another day, "today" is another:
    ``own`` are the days of such zones, by name. ``asked_at`` is when it was asked for, where the
    period may not be over then.

    ``known`` is what was found out of it once and serves all figures of a page."""

    websites: tuple[Website, ...]
    period: Period
    filters: Filters = Filters()
    sight: Oversight = field(kw_only=True)
    own: Mapping[str, Period] = field(default_factory=dict, kw_only=True)
    asked_at: datetime | None = field(default=None, kw_only=True, compare=False)
    known: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def zone(self) -> tzinfo:
        """The clock by which a reader of several websites is told hours: the first one's."""
        return self.websites[0].clock if self.websites else ZoneInfo("UTC")

    @property
    def clocks(self) -> dict[tuple[str, tzinfo], list[int]]:
        """The websites by their zones and by the clocks that they were before, the first one's
        first."""
        found: dict[tuple[str, tzinfo], list[int]] = defaultdict(list)
        for website in self.websites:
            found[website.time_zone, website.clock].append(website.pk)
        return found

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones of the websites, the first one's first."""
        return tuple(dict.fromkeys(website.time_zone for website in self.websites))

    def days_of(self, zone: str) -> Period:
        """The days of the websites in a zone."""
        return self.own.get(zone, self.period)

    @property
    def span(self) -> Period:
        """From the first to the last day of any website."""
        found = self.period
        for zone in self.zones:
            found = found.joined(self.days_of(zone))
        return found

    @property
    def before(self) -> Scope:
        """The same of the period before."""
        own = {zone: period.before for zone, period in self.own.items()}
        return replace(self, period=self.period.before, own=own)

    def by_day(self) -> Iterator[Scope]:
        """Its days one by one, the oldest first."""
        for number in range(self.span.days):
            first = self.span.first + timedelta(days=number)
            day = Period(first, first + timedelta(days=1))
            here = [one for one in self.websites if self.days_of(one.time_zone).has(first)]
            yield replace(self, websites=tuple(here), period=day, own={})

    def rows(self, source: Source) -> QuerySet[Any]:
        """The rows of ``source`` that belong to this scope, each website's days in its own zone."""
        # Whose it is beside when it was, not within: the days are to be read from one index.
        overseen = self.overseen(source, source.among)
        found: QuerySet[Any] = source.model._default_manager.alias(**source.looked_up)
        found = found.filter(source.only, self._when(source), overseen)
        filters = self.filters
        for column, value in (
            (source.group, filters.group),
            (source.field("rule"), filters.rule),
            (source.field("style"), filters.style or None),
            (source.field("language"), filters.language or None),
            (source.columns.get("currency", ""), filters.currency or None),
        ):
            if value is not None:
                found = found.filter(**{column: value}) if column else found.none()
        if filters.agent is not None:
            found = found.alias(of_agent=source.whose()).filter(of_agent=filters.agent)
        return found

    def overseen(self, source: Source, among: Callable[[Collection[int]], Q]) -> Q:
        """What the reader oversees of the websites' rows, where ``among`` says which belong to some
        groups; no condition where he oversees all of them."""
        ids = [website.pk for website in self.websites]
        return self.sight.within(ids, among, website=source.field("website"))

    def behind(self, measure: Measure) -> QuerySet[Any]:
        """The rows behind a figure, each with its ``worth``: as many as the figure counts."""
        found: QuerySet[Any] = self.rows(measure.source).filter(measure.where)
        if measure.weight is not None:
            found = found.annotate(weight=measure.weight)
        if measure.worth is not None:
            found = found.annotate(worth=measure.worth)
        return found

    def _when(self, source: Source) -> Q:
        found = Q(pk__in=[])
        for (name, clock), ids in self.clocks.items():
            start, end = self.days_of(name).bounds(clock)
            found |= Q(
                **{
                    f"{source.field('website')}__in": ids,
                    f"{source.moment}__gte": start,
                    f"{source.moment}__lt": end,
                }
            )
        return found
