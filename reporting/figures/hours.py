"""Lengths of time counted only while a conversation's group was open (C29, C57)."""

from __future__ import annotations

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from reporting.figures.measures import EVERY, Fold, Measure, Seconds, Source


def while_open(source: Source, stored: str, start: str, end: str, where: Q = EVERY) -> Measure:
    """The median of the seconds that were stored at the closure; by the wall clock where nothing
    is stored, for then every hour counted."""
    return Measure(source, Fold.MEDIAN, where, Coalesce(F(stored), Seconds(F(end), F(start))))
