"""Publication of what is saved or deleted in the administration, in the same transaction (R216)."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.duration_fields import (
    DAYS,
    HOURS,
    MINUTES,
    SECONDS,
    DurationField,
    WholeDurationField,
)
from accounts.list_field import ListField
from accounts.widgets import CheckboxList
from routing.models.rules import WINDOW_LIMIT

TIMES = SECONDS, MINUTES, HOURS
DURATIONS: dict[str, dict[str, Any]] = {
    "answer_seconds": {"label": _("Answer timer"), "each": 1, "units": TIMES},
    "release_minutes": {"label": _("Automatic release"), "each": 60, "units": TIMES[1:]},
    "skill_relax_seconds": {"label": _("Wait for a skill"), "each": 1, "units": TIMES},
}
"""Columns that count seconds or minutes; users enter a number and its unit."""


def _duration(db_field: Any, *, each: int | None = None, **options: Any) -> forms.Field:
    arguments = {
        "label": capfirst(db_field.verbose_name),
        "help_text": db_field.help_text,
    } | options
    if each is not None:
        return WholeDurationField(each=each, required=not db_field.blank, **arguments)
    units = MINUTES, HOURS, DAYS
    return DurationField(
        units=units,
        usual=DAYS,
        most=WINDOW_LIMIT,
        required=not db_field.blank,
        **arguments,
    )


class Published:
    """Mixin for admin classes that calls ``published`` once for each row added or changed, after
    its inlines are saved too, and ``removed`` for each row deleted.
    """

    def published(self, obj: Any) -> None:
        """Publish the change through a function of ``routing.changes``."""
        raise NotImplementedError

    def removed(self, obj: Any) -> None:
        """Publish a deletion; ``obj`` still has its key."""
        self.published(obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Adapt the widgets of some fields.

        Related objects have no add or change buttons, since each has its own page. Time zones are
        chosen from a list, durations have a unit, and many-to-many fields are tick boxes.
        """
        if db_field.name == "time_zone":
            names = [(name, name.replace("_", " ")) for name in sorted(available_timezones())]
            choices = [("", "---------"), *names] if db_field.blank else names
            kwargs["widget"] = forms.Select(choices=choices)
        if isinstance(db_field, models.ManyToManyField):
            kwargs["widget"] = CheckboxList(db_field.verbose_name)
        if isinstance(db_field, ArrayField):
            kwargs.setdefault("form_class", ListField)
        if isinstance(db_field, models.DurationField):
            return _duration(db_field)
        if db_field.name in DURATIONS:
            return _duration(db_field, **DURATIONS[db_field.name])
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and db_field.is_relation:
            for what in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{what}_related", False)
        return field

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        self.published(form.instance)

    def going(self, obj: Any) -> None:
        """Remember what ``removed`` needs of a row, before the row goes."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        # Django takes the key from a row that it has deleted.
        pk = obj.pk
        self.going(obj)
        super().delete_model(request, obj)  # type: ignore[misc]
        obj.pk = pk
        self.removed(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = list(queryset)
        for row in rows:
            self.going(row)
        super().delete_queryset(request, queryset)  # type: ignore[misc]
        for row in rows:
            self.removed(row)
