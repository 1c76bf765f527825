"""Formatting of figures: numbers, percentages and durations, in the reader's language."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from django import template
from django.utils import formats
from django.utils.translation import gettext as _

from accounts.moments import duration
from reporting.figures.answers import Answer
from reporting.figures.measures import Number
from reporting.figures.period import Period, TrendUnit
from reporting.figures.registry import Figure, Unit
from reporting.reports.content import Change, Point, Trend

register = template.Library()
NOTHING = "–"


@register.filter
def value_of(answer: Answer, figure: Figure) -> str:
    """Format a figure's value with its unit, money with its currency. Money in several currencies
    has no value."""
    if answer.is_mixed:
        return _("several currencies")
    if answer.value is not None and answer.currency:
        return f"{number(answer.value, 2)} {answer.currency}"
    return written(answer.value, figure.unit)


@register.filter
def written(value: Number, unit: Unit) -> str:
    """Format a value with its unit; a dash if there is none."""
    if value is None:
        return NOTHING
    match unit:
        case Unit.SECONDS:
            return duration(timedelta(seconds=float(value)))
        case Unit.MILLISECONDS:
            return _("%(n)s ms") % {"n": number(value, 0)}
        case Unit.PERCENT:
            return _("%(n)s %%") % {"n": number(value, 1)}
        case Unit.POINTS:
            sign = "+" if round(value) > 0 else "−" if round(value) < 0 else ""
            return sign + number(abs(value), 0)
        case Unit.MEAN | Unit.MONEY:
            return number(value, 2)
    return number(value, 0)  # a count or a sum


@register.filter
def grouped(value: int) -> str:
    """Format a count with the reader's separators."""
    return number(value, 0)


def number(value: Number, places: int) -> str:
    """Format a number with the reader's separators; a whole percentage has no decimal."""
    assert value is not None
    if places == 1 and round(value, 1) == round(value):
        places = 0
    written: str = formats.number_format(
        round(float(value), places) + 0.0 if places else round(value), places, force_grouping=True
    )
    return written


@register.filter
def bucket_name(point: Point, trend: Trend) -> str:
    """Format a point of a trend for its table and for the ends of its chart."""
    return _called(point.name, trend, "DATE_FORMAT" if trend.has_years else "MONTH_DAY_FORMAT")


@register.filter
def tick(point: Point, trend: Trend) -> str:
    """Format a point between the ends, where the year need not be repeated."""
    return _called(point.name, trend, "MONTH_DAY_FORMAT")


def _called(bucket: date | datetime, trend: Trend, day: str) -> str:
    if isinstance(bucket, datetime):
        return formats.date_format(bucket, "D H:i")
    is_month = trend.step is TrendUnit.MONTH
    return formats.date_format(bucket, "YEAR_MONTH_FORMAT" if is_month else day)


@register.filter
def size_of_change(change: Change) -> str:
    """Format the size of a change; the arrow beside it shows the direction."""
    if change.unit is Unit.POINTS:
        return _("%(n)s points") % {"n": number(abs(change.by), 1)}
    return written(abs(change.by), Unit.PERCENT)


@register.simple_tag
def when(period: Period, is_narrowed: bool) -> str:
    """Name the days of a report, and whether filters narrow it, for the text of an empty part."""
    first, last = (formats.date_format(day) for day in (period.first, period.last))
    if period.days == 1:
        days = _("on %(day)s") % {"day": first}
    else:
        days = _("from %(first)s to %(last)s") % {"first": first, "last": last}
    return _("%(days)s with these filters") % {"days": days} if is_narrowed else days


@register.filter
def exact(value: Number) -> str:
    """Format the unrounded value for programs that read the page; empty if there is none."""
    return "" if value is None else repr(float(value))


@register.filter
def along(share: float, width: int) -> str:
    """Return the position at a share of a width, for SVG."""
    return plain(round(share * width, 1))


@register.filter
def plain(value: float) -> str:
    """Format a number for SVG, independent of the reader's language."""
    return f"{value:g}"


@register.filter
def narrowed(query: str, parameter: str) -> str:
    """Return the query of a report, narrowed by one more parameter, which replaces its former
    value."""
    return urlencode(dict(parse_qsl(query)) | dict(parse_qsl(parameter)))
