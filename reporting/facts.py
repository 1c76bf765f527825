"""Facts about reports, to which reactions are wired."""

from __future__ import annotations

from dataclasses import dataclass

from core.events.facts import Fact


@dataclass(frozen=True, slots=True)
class ReplayWanted(Fact):
    """A user views a page that needs a website's history replayed up to ``at`` (ISO 8601) with each
    of the ``totals`` of places; for all its groups, or for ``groups``. ``key`` is where the page
    looks for the result."""

    website_id: int
    totals: tuple[int, ...]
    key: str
    at: str
    groups: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class ExportAsked(Fact):
    """A user requested a file that a worker must write."""

    export_id: int


@dataclass(frozen=True, slots=True)
class ExportEnded(Fact):
    """An export ended: its file is ready, or there is none."""

    export_id: int


@dataclass(frozen=True, slots=True)
class ReportDue(Fact):
    """A subscribed report is due. ``first`` and ``end`` bound the days that it covers, as ISO
    8601."""

    subscription_id: int
    first: str
    end: str
