"""What figures are counted over: the websites, the period and the filters of one reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts.models import Website
from accounts.supervision import Supervised
from conversations.models import ConversationTag
from reporting.figures.measures import Measure, Source
from reporting.figures.period import Period


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a report; ``None`` and empty mean everything."""

    group: int | None = None
    rule: int | None = None
    agent: int | None = None
    style: str = ""
    language: str = ""
    currency: str = ""
    tag: int | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """``websites`` are some of those that the reader may see; without any, nothing is counted. Of a
    website that they oversee in part (``supervised``), only what belongs to their groups counts.

    ``period`` has the days of the first website. In another time zone "today" may be another day:
    ``own`` has the days of those zones, by name. ``asked_at`` is when the report was requested,
    where the period may not have ended by then.

    ``known`` caches what was computed once and serves all figures of a page.
    """

    websites: tuple[Website, ...]
    period: Period
    filters: Filters = Filters()
    supervised: Supervised = field(kw_only=True)
    own: Mapping[str, Period] = field(default_factory=dict, kw_only=True)
    asked_at: datetime | None = field(default=None, kw_only=True, compare=False)
    known: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def zone(self) -> tzinfo:
        """The clock whose hours a reader of several websites sees: the first website's."""
        return self.websites[0].clock if self.websites else ZoneInfo("UTC")

    @property
    def clocks(self) -> dict[tuple[str, tzinfo], list[int]]:
        """The websites by their time zone and clock history, the first website's first."""
        by_clock: dict[tuple[str, tzinfo], list[int]] = defaultdict(list)
        for website in self.websites:
            by_clock[website.time_zone, website.clock].append(website.pk)
        return by_clock

    @property
    def zones(self) -> tuple[str, ...]:
        """The time zones of the websites, the first website's first."""
        return tuple(dict.fromkeys(website.time_zone for website in self.websites))

    def days_of(self, zone: str) -> Period:
        """Return the days of the websites in a time zone."""
        return self.own.get(zone, self.period)

    @property
    def span(self) -> Period:
        """From the first to the last day of any website."""
        joined = self.period
        for zone in self.zones:
            joined = joined.joined(self.days_of(zone))
        return joined

    @property
    def before(self) -> Scope:
        """The same scope over the period before."""
        own = {zone: period.before for zone, period in self.own.items()}
        return replace(self, period=self.period.before, own=own)

    def by_day(self) -> Iterator[Scope]:
        """Yield the days of the scope one by one, the oldest first."""
        for number in range(self.span.days):
            first = self.span.first + timedelta(days=number)
            day = Period(first, first + timedelta(days=1))
            here = [one for one in self.websites if self.days_of(one.time_zone).has(first)]
            yield replace(self, websites=tuple(here), period=day, own={})

    def rows(self, source: Source) -> QuerySet[Any]:
        """Return the rows of ``source`` in this scope, each website's days in its own time zone."""
        # The condition on groups stands beside the one on time, not inside it, so that the days are
        # read from one index.
        overseen = self.overseen(source, source.among)
        rows: QuerySet[Any] = source.model._default_manager.alias(**source.looked_up)
        rows = rows.filter(source.only, self._when(source), overseen)
        filters = self.filters
        for column, value in (
            (source.group, filters.group),
            (source.field("rule"), filters.rule),
            (source.field("style"), filters.style or None),
            (source.field("language"), filters.language or None),
            (source.columns.get("currency", ""), filters.currency or None),
        ):
            if value is not None:
                rows = rows.filter(**{column: value}) if column else rows.none()
        if filters.tag is not None:
            number = source.field("pk")
            tagged = ConversationTag.objects.filter(tag=filters.tag).values("conversation")
            rows = rows.filter(**{f"{number}__in": tagged}) if number else rows.none()
        if filters.agent is not None:
            rows = rows.alias(of_agent=source.whose()).filter(of_agent=filters.agent)
        return rows

    def overseen(self, source: Source, among: Callable[[Collection[int]], Q]) -> Q:
        """Match what the reader oversees of the websites' rows, where ``among`` selects those of
        some groups. Returns no condition if they oversee all of them."""
        ids = [website.pk for website in self.websites]
        return self.supervised.within(ids, among, website=source.field("website"))

    def behind(self, measure: Measure) -> QuerySet[Any]:
        """Return the rows behind a figure, each with its ``worth``: as many as the figure
        counts."""
        rows: QuerySet[Any] = self.rows(measure.source).filter(measure.where)
        if measure.weight is not None:
            rows = rows.annotate(weight=measure.weight)
        if measure.worth is not None:
            rows = rows.annotate(worth=measure.worth)
        return rows

    def _when(self, source: Source) -> Q:
        # Matches nothing: a reader without websites sees no rows, instead of all.
        within = Q(pk__in=[])
        for (name, clock), ids in self.clocks.items():
            start, end = self.days_of(name).bounds(clock)
            within |= Q(
                **{
                    f"{source.field('website')}__in": ids,
                    f"{source.moment}__gte": start,
                    f"{source.moment}__lt": end,
                }
            )
        return within
