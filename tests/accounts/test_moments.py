"""Dates, times and durations have one format in each language (C79)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.template import Context, Template
from django.utils import timezone, translation
from django.utils.formats import date_format

from accounts import moments
from accounts.duration_fields import DAYS, DurationField

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
# A template's own format; "c" and "U" are for machines.
OWN_FORMAT = re.compile(
    r"""\|(?:date|time):["'](?![cU]["']|[A-Z_]+_FORMAT["'])|\|time(?:since|until)"""
)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("language", "at", "near", "in_sentence"),
    [
        ("en", NOW, "today 14:05", "28 Nov, 14:05"),
        ("en", NOW - timedelta(days=1), "yesterday 14:05", "27 Nov, 14:05"),
        ("en", NOW + timedelta(hours=10), "tomorrow 00:05", "29 Nov, 00:05"),
        ("en", NOW - timedelta(days=2), "26 Nov, 14:05", "26 Nov, 14:05"),
        ("en", NOW - timedelta(days=365), "28 Nov 2025, 14:05", "28 Nov 2025, 14:05"),
        ("fr", NOW, "aujourd’hui 14:05", "28 nov., 14:05"),
        ("fr", NOW - timedelta(days=1), "hier 14:05", "27 nov., 14:05"),
        ("fr", NOW + timedelta(days=40), "7 janv. 2027, 14:05", "7 janv. 2027, 14:05"),
    ],
)
def test_a_moment_has_one_form(language: str, at: datetime, near: str, in_sentence: str) -> None:
    with translation.override(language):
        assert moments.near_moment(at, now=NOW) == near
        assert moments.moment(at, now=NOW) == in_sentence


def test_the_day_follows_the_time_zone() -> None:
    late = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)
    auckland = ZoneInfo("Pacific/Auckland")
    assert moments.near_moment(late.astimezone(auckland), now=NOW) == "tomorrow 12:30" or (
        moments.near_moment(late.astimezone(auckland), now=late) == "today 12:30"
    )


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [
        (-5, "0 s", "0 s"),
        (0, "0 s", "0 s"),
        (45.9, "45 s", "45 s"),
        (60, "1 min", "1 min"),
        (130, "2 min 10 s", "2 min 10 s"),
        (3600, "1 h", "1 h"),
        (7800, "2 h 10 min", "2 h 10 min"),
        (86400, "1 d", "1 j"),
        (3 * 86400 + 4 * 3600 + 59, "3 d 4 h", "3 j 4 h"),
    ],
)
def test_a_duration_has_one_form(seconds: float, english: str, french: str) -> None:
    for language, expected in (("en", english), ("fr", french)):
        with translation.override(language):
            assert plain(moments.duration(timedelta(seconds=seconds))) == expected


@pytest.mark.parametrize(("language", "expected"), [("en", "1 Sep 2026"), ("fr", "1 sept. 2026")])
def test_django_writes_dates_in_the_same_form(language: str, expected: str) -> None:
    with translation.override(language):
        for name in ("DATE_FORMAT", "SHORT_DATE_FORMAT"):
            assert date_format(date(2026, 9, 1), name) == expected
        for name in ("DATETIME_FORMAT", "SHORT_DATETIME_FORMAT"):
            assert date_format(datetime(2026, 9, 1, 8, 5), name) == f"{expected}, 08:05"
        assert date_format(datetime(2026, 9, 1, 8, 5), "TIME_FORMAT") == "08:05"


def test_filters_use_the_current_time_zone() -> None:
    template = Template("{% load interface %}{{ at|near_moment }} {{ at|moment }}")
    at = timezone.now().replace(year=2025, month=7, day=1, hour=22, minute=5)
    with timezone.override(ZoneInfo("Europe/Paris")):
        rendered = template.render(Context({"at": at}))
    assert 'title="2 Jul 2025, 00:05">2 Jul 2025, 00:05</time> 2 Jul 2025, 00:05' in rendered


def test_no_template_has_a_format_of_its_own() -> None:
    offenders = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in sorted((ROOT / "templates").rglob("*.*"))
        for match in OWN_FORMAT.finditer(path.read_text())
    ]
    assert offenders == []


def test_no_script_has_a_format_of_its_own() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "static").rglob("*.js"))
        if "vendor" not in path.parts
        if re.search(r"toLocale(Date|Time)?String|DateTimeFormat|RelativeTime", path.read_text())
    ]
    assert offenders == ["static/desk/log.js", "static/shared/moments.js"]  # the log's hover text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "The limit is 28\u00a0d."), ("fr", "Le maximum est de 28\u00a0j.")],
)
def test_the_limit_of_a_duration_is_formatted_as_a_duration(language: str, sentence: str) -> None:
    field = DurationField(units=[DAYS], most=timedelta(days=28))
    with translation.override(language), pytest.raises(ValidationError) as refused:
        field.clean(["29", str(DAYS)])
    assert refused.value.messages == [sentence]
