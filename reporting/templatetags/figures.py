"""How figures are written: numbers, per cent, lengths of time, in the reader's language."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from django import template
from django.utils import formats
from django.utils.translation import gettext as _

from accounts.moments import duration
from reporting.figures.answers import Answer
from reporting.figures.measures import Number
from reporting.figures.period import Period, Step
from reporting.figures.registry import Figure, Unit
from reporting.reports.content import Change, Point, Trend

register = template.Library()
NOTHING = "–"


@register.filter
def told(answer: Answer, figure: Figure) -> str:
    """A figure's value with its unit, money with its currency; sums of several have none."""
    if answer.is_mixed:
        return _("several currencies")
    if answer.value is not None and answer.currency:
        return f"{number(answer.value, 2)} {answer.currency}"
    return written(answer.value, figure.unit)


@register.filter
def written(value: Number, unit: Unit) -> str:
    """A figure's value with its unit; a dash where there is none."""
    if value is None:
        return NOTHING
    match unit:
        case Unit.SECONDS:
            return duration(timedelta(seconds=float(value)))
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
    """A count, with the reader's separators."""
    return number(value, 0)


def number(value: Number, places: int) -> str:
    """With the reader's separators; a whole number of per cent without a zero behind it."""
    assert value is not None
    if places == 1 and round(value, 1) == round(value):
        places = 0
    written: str = formats.number_format(
        round(float(value), places) + 0.0 if places else round(value), places, force_grouping=True
    )
    return written


@register.filter
def bucket_name(point: Point, trend: Trend) -> str:
    """How a point of a trend is called in its table, and at the ends of its chart."""
    return _called(point.name, trend, "DATE_FORMAT" if trend.has_years else "MONTH_DAY_FORMAT")


@register.filter
def tick(point: Point, trend: Trend) -> str:
    """The same between the ends, where the years need not be said again."""
    return _called(point.name, trend, "MONTH_DAY_FORMAT")


def _called(bucket: date | datetime, trend: Trend, day: str) -> str:
    if isinstance(bucket, datetime):
        return formats.date_format(bucket, "D H:i")
    is_month = trend.step is Step.MONTH
    return formats.date_format(bucket, "YEAR_MONTH_FORMAT" if is_month else day)


@register.filter
def size_of_change(change: Change) -> str:
    """How much more or less; the arrow beside it says which."""
    if change.unit is Unit.POINTS:
        return _("%(n)s points") % {"n": number(abs(change.by), 1)}
    return written(abs(change.by), Unit.PERCENT)


@register.simple_tag
def when(period: Period, is_narrowed: bool) -> str:
    """The days of a report, and whether filters narrow it, for what is said of an empty part."""
    first, last = (formats.date_format(day) for day in (period.first, period.last))
    if period.days == 1:
        days = _("on %(day)s") % {"day": first}
    else:
        days = _("from %(first)s to %(last)s") % {"first": first, "last": last}
    return _("%(days)s with these filters") % {"days": days} if is_narrowed else days


@register.filter
def exact(value: Number) -> str:
    """A figure as it was computed, for what reads the page by machine; nothing where there is
    none."""
    return "" if value is None else repr(float(value))


@register.filter
def along(share: float, width: int) -> str:
    """Where something is that lies at a share of a width, for SVG."""
    return plain(round(share * width, 1))


@register.filter
def plain(value: float) -> str:
    """A number as SVG wants it, whatever the reader's language."""
    return f"{value:g}"


@register.filter
def narrowed(query: str, parameter: str) -> str:
    """The query of a report, narrowed by one parameter more; what it said of that gives way."""
    return urlencode(dict(parse_qsl(query)) | dict(parse_qsl(parameter)))
