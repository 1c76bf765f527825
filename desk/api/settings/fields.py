"""Fields that name rows which the user may choose. Rows beyond that do not exist for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time
from typing import Any

from django.db.models import Model, QuerySet
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from accounts.models import User, Website
from accounts.rights import websites_of

CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")
Rows = Callable[[User], QuerySet[Any]]


class Numbered(serializers.PrimaryKeyRelatedField[Any]):
    """A row by its number, among those that ``rows`` returns for the user."""

    def __init__(self, rows: Rows | None = None, **options: Any) -> None:
        self.rows = rows
        if rows is not None:
            options["queryset"] = rows_for_schema(rows)
        super().__init__(**options)

    def get_queryset(self) -> QuerySet[Any]:
        assert self.rows is not None
        return self.rows(self.context["request"].user)

    def to_internal_value(self, data: Any) -> Model:
        # Otherwise "7" would pass, which the description does not allow.
        if not isinstance(data, int):
            self.fail("incorrect_type", data_type=type(data).__name__)
        row: Model = super().to_internal_value(data)
        return row


class Keyed(serializers.SlugRelatedField[Any]):
    """A website by its key, among those of the user."""

    def __init__(self, **options: Any) -> None:
        if not options.get("read_only"):
            options["queryset"] = Website.objects.none()
        super().__init__(slug_field="key", help_text="The website's key.", **options)

    def get_queryset(self) -> QuerySet[Any]:
        return websites_of(self.context["request"].user)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Clock(serializers.TimeField):
    """A time on the wall of a website, such as ``09:00``: without an offset, unlike the ``time`` of
    a description."""

    def to_internal_value(self, value: Any) -> time:
        if not isinstance(value, str) or not CLOCK.fullmatch(value):
            self.fail("invalid", format="hh:mm[:ss]")
        parsed: time = super().to_internal_value(value)
        return parsed


class ClockDescribed(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """How the schema names such times."""

    target_class = Clock

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, str]:
        return {"type": "string", "pattern": f"^{CLOCK.pattern}$", "example": "09:00"}


def rows_for_schema(rows: Rows) -> QuerySet[Any]:
    """Return an empty queryset of the model, from which the schema takes the type of its key."""
    return rows(User()).none()
