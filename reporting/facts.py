"""Facts about reports that reactions hang on."""

from __future__ import annotations

from dataclasses import dataclass

from core.events.facts import Fact


@dataclass(frozen=True, slots=True)
class ReplayWanted(Fact):
    """Somebody looks at a page that shows a website's history played again up to ``at`` (ISO 8601)
    with each of the ``totals`` of places; of all its groups, or of ``groups``. ``key`` is where it
    is looked for."""

    website_id: int
    totals: tuple[int, ...]
    key: str
    at: str
    groups: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class ExportAsked(Fact):
    """Somebody waits for a file that a worker is to write."""

    export_id: int


@dataclass(frozen=True, slots=True)
class ExportEnded(Fact):
    """A file is ready, or it cannot be had."""

    export_id: int


@dataclass(frozen=True, slots=True)
class ReportDue(Fact):
    """A report that somebody has subscribed to is due; ``first`` and ``end`` are the days that it
    is about, as ISO 8601."""

    subscription_id: int
    first: str
    end: str
