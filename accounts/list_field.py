"""A form field for comma-separated lists whose errors name the invalid item."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class ListField(SimpleArrayField):
    """An array field whose errors quote the item. Django's say "Item 3 in the array did not
    validate"."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except ValidationError as error:
            raise ValidationError(self._problems(value) or error.messages) from error

    def _problems(self, value: Any) -> list[str]:
        items = value.split(self.delimiter) if isinstance(value, str) else value or []
        problems = []
        for item in items:
            name = str(item).strip()
            try:
                self.base_field.clean(name)
            except ValidationError as error:
                why = " ".join(error.messages)
                problems.append(
                    _("“%(name)s” cannot be used: %(why)s") % {"name": name, "why": why}
                )
        return problems
