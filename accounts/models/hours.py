"""Opening hours of groups: weekly hours and special days (B19)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.hours import Opening, Schedule
from accounts.models.agents import Group
from accounts.models.websites import Website


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class OpeningHours(models.Model):
    """One weekly interval of a group. A group without any is always open."""

    group = models.ForeignKey(
        Group, on_delete=models.CASCADE, related_name="opening_hours", verbose_name=_("group")
    )
    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday.choices)
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(
        pgettext_lazy("opening hours", "closes"),
        help_text=_("A time at or before the opening time is on the next day (22:00 to 6:00)."),
    )

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ("group", "weekday", "opens")
        constraints = [
            models.UniqueConstraint(fields=["group", "weekday", "opens"], name="opens_once"),
            models.CheckConstraint(
                condition=Q(weekday__gte=0, weekday__lte=6), name="weekday_is_one"
            ),
        ]

    def __str__(self) -> str:
        day = Weekday(self.weekday).label
        return f"{day} {self.opens:%H:%M} – {self.closes:%H:%M}"


class Holiday(models.Model):
    """A day with other hours, or none. A group's rows for a day override those of its website;
    several rows for one day are several intervals."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="holidays", verbose_name=_("website")
    )
    group = models.ForeignKey(
        Group,
        on_delete=models.CASCADE,
        related_name="holidays",
        verbose_name=_("group"),
        null=True,
        blank=True,
        help_text=_("Leave empty to apply to all groups of the website."),
    )
    date = models.DateField(_("day"))
    name = models.CharField(_("name"), max_length=100)
    opens = models.TimeField(
        _("opens"), null=True, blank=True, help_text=_("Leave empty if closed all day.")
    )
    closes = models.TimeField(pgettext_lazy("opening hours", "closes"), null=True, blank=True)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ("date", "opens")
        constraints = [
            models.UniqueConstraint(
                fields=["website", "group", "date", "opens"],
                # Otherwise two rows without a group, or closed all day, would count as different.
                nulls_distinct=False,
                name="holiday_once",
            ),
            models.CheckConstraint(
                condition=Q(opens__isnull=True, closes__isnull=True)
                | Q(opens__isnull=False, closes__isnull=False),
                name="special_hours_are_whole",
                violation_error_message=_("Enter an opening and a closing time for special hours."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d} {self.name}"


def schedule_of(group: Group) -> Schedule:
    """Return the hours of a group as plain data. It uses prefetched rows."""
    own = list(group.holidays.all())
    own_dates = {holiday.date for holiday in own}
    of_website = [
        holiday
        for holiday in group.website.holidays.all()
        if holiday.group_id is None and holiday.date not in own_dates
    ]
    special = sorted(own + of_website, key=attrgetter("date"))
    return Schedule(
        zone=group.zone,
        weekly=tuple((row.weekday, row.opens, row.closes) for row in group.opening_hours.all()),
        special=tuple(
            (
                day,
                tuple(
                    (row.opens, row.closes)
                    for row in rows
                    if row.opens is not None and row.closes is not None
                ),
            )
            for day, rows in groupby(special, key=attrgetter("date"))
        ),
    )


def weekly_hours(group: Group) -> tuple[Opening, ...]:
    """Return the weekly intervals of a group, in order."""
    rows = group.opening_hours.order_by("weekday", "opens")
    return tuple((row.weekday, row.opens, row.closes) for row in rows)


def set_weekly_hours(group: Group, weekly: Iterable[Opening]) -> None:
    """Replace the weekly hours of a group. Unchanged rows are not written and changed ones are
    updated, so that the record of changes shows only real changes."""
    with transaction.atomic():
        # Two users may save the same group: the second must read what the first has written.
        Group.objects.select_for_update().get(pk=group.pk)
        wanted = {(day, opens): closes for day, opens, closes in weekly}
        for row in group.opening_hours.all():
            closes = wanted.pop((row.weekday, row.opens), None)
            if closes is None:
                row.delete()
            elif closes != row.closes:
                row.closes = closes
                row.save(update_fields=["closes"])
        OpeningHours.objects.bulk_create(
            OpeningHours(group=group, weekday=day, opens=opens, closes=closes)
            for (day, opens), closes in wanted.items()
        )


IS_OPEN = (
    "CASE WHEN {group}.hours_change_at <= %(at)s THEN NOT {group}.is_open ELSE {group}.is_open END"
)
"""``open_at`` in SQL for a row of the groups' table. It is a CASE, because the planner estimates
that half of the rows match one; with a comparison of two columns it would read all groups before
those of one agent."""


def open_at(at: datetime, prefix: str = "") -> Q:
    """Return the condition that a group is open at ``at``, according to its row.

    ``hours_change_at`` is when the group closes or opens next. After that moment the opposite of
    ``is_open`` applies, so that a late beat delays nothing.
    """
    stands = Q(**{f"{prefix}hours_change_at": None}) | Q(**{f"{prefix}hours_change_at__gt": at})
    changed = Q(**{f"{prefix}hours_change_at__lte": at})
    return (Q(**{f"{prefix}is_open": True}) & stands) | (Q(**{f"{prefix}is_open": False}) & changed)
