"""Form fields for durations: a number and a unit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import moments

SECONDS, MINUTES, HOURS, DAYS = 1, 60, 3600, 86400
NAMES = {
    SECONDS: gettext_lazy("seconds"),
    MINUTES: gettext_lazy("minutes"),
    HOURS: gettext_lazy("hours"),
    DAYS: gettext_lazy("days"),
}


def split(span: timedelta, units: Sequence[int]) -> tuple[int, int]:
    """Return (number, unit) with the largest of ``units``, in seconds, that divides ``span``."""
    seconds = round(span.total_seconds())
    whole = [unit for unit in units if seconds % unit == 0]
    unit = max(whole, default=min(units))
    return seconds // unit, unit


class DurationWidget(forms.MultiWidget):
    """A number and a choice of units."""

    def __init__(self, units: Sequence[int], usual: int) -> None:
        self.units = units
        self.usual = usual
        unit_label = gettext_lazy("Unit")
        super().__init__(
            [
                forms.NumberInput(attrs={"min": 1, "class": "duration"}),
                forms.Select(
                    choices=[(unit, NAMES[unit]) for unit in units],
                    attrs={"aria-label": unit_label},
                ),
            ]
        )

    def decompress(self, value: object) -> list[int | None]:
        # Django also fills a new form from the query string, where the value is text.
        if not isinstance(value, timedelta):
            return [None, self.usual]
        return list(split(value, self.units))

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        """Render both inputs in one span, so that they stay on one line, on phones too."""
        return format_html(
            '<span class="duration-parts">{}</span>', super().render(name, value, attrs, renderer)
        )

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_0" if id_ else id_


class DurationField(forms.MultiValueField):
    """A duration of at least one unit and at most ``most``. ``usual`` is the unit that is selected
    first."""

    def __init__(
        self,
        *,
        units: Sequence[int],
        usual: int = MINUTES,
        most: timedelta | None = None,
        **options: Any,
    ) -> None:
        self.most = most
        wrong = gettext_lazy("Enter a whole number of 1 or more.")
        number = forms.IntegerField(
            min_value=1,
            max_value=2_000_000_000,
            error_messages={"invalid": wrong, "min_value": wrong, "max_value": wrong},
        )
        unit = forms.TypedChoiceField(
            coerce=int, choices=[(unit, NAMES[unit]) for unit in units], required=False
        )
        super().__init__(
            [number, unit],
            widget=DurationWidget(units, usual),
            require_all_fields=False,
            **options,
        )

    def clean(self, value: Any) -> Any:
        number, *_unit = value or [None]
        # The unit always has a value: without a number the field is empty.
        return super().clean(value if number not in self.empty_values else None)

    def compress(self, parts: Sequence[Any]) -> timedelta | None:
        if not parts or parts[0] is None:
            return None
        number, unit = parts
        if not unit:
            raise ValidationError(_("Choose a unit."))
        try:
            span = timedelta(seconds=number * unit)
        except OverflowError:
            span = timedelta.max
        if self.most is not None and span > self.most:
            raise ValidationError(
                _("The limit is %(most)s.") % {"most": moments.duration(self.most)}
            )
        return span


class WholeDurationField(DurationField):
    """A duration for an integer column whose unit is ``each`` seconds."""

    def __init__(self, *, each: int, **options: Any) -> None:
        self.each = each
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return timedelta(seconds=value * self.each) if isinstance(value, int) else value

    def compress(self, parts: Sequence[Any]) -> Any:
        span = super().compress(parts)
        return None if span is None else round(span.total_seconds()) // self.each

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)
