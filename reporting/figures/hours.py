"""Durations counted only while a conversation's group was open (C29, C57)."""

from __future__ import annotations

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from reporting.figures.measures import EVERY, Fold, Measure, Seconds, Source


def while_open(source: Source, stored: str, start: str, end: str, where: Q = EVERY) -> Measure:
    """Return the median of the seconds stored at the closure. Where nothing is stored, every hour
    counted, so the plain difference is used."""
    return Measure(source, Fold.MEDIAN, where, Coalesce(F(stored), Seconds(F(end), F(start))))
