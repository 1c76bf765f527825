"""What is saved or deleted in the administration is published in the same transaction (R216)."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest


class Published:
    """Mixed into an admin class: ``published`` is called once for each row that came to be or
    changed, after its parts were saved as well, ``removed`` for each that went."""

    def published(self, obj: Any) -> None:
        """Say what changed, by a function of ``routing.changes``."""
        raise NotImplementedError

    def removed(self, obj: Any) -> None:
        """The same for a row that is gone; ``obj`` still has its key."""
        self.published(obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """No buttons to make or change what a field points at: each thing has its own page. Time
        zones are chosen, not spelt."""
        if db_field.name == "time_zone":
            names = [(name, name.replace("_", " ")) for name in sorted(available_timezones())]
            choices = [("", "---------"), *names] if db_field.blank else names
            kwargs["widget"] = forms.Select(choices=choices)
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

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        pk = obj.pk
        super().delete_model(request, obj)  # type: ignore[misc]
        obj.pk = pk
        self.removed(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = list(queryset)
        super().delete_queryset(request, queryset)  # type: ignore[misc]
        for row in rows:
            self.removed(row)
