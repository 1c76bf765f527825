"""The settings that administrators fill in explain themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.db import models
from django.utils import translation
from django.utils.functional import Promise

from accounts.rights import ReadOnly

NEEDS_HELP = (
    models.BooleanField,
    models.IntegerField,
    models.DurationField,
    models.JSONField,
    models.ManyToManyField,
)
"""A name alone seldom says the unit, the effect or what an empty field means."""

OBVIOUS = {
    "accounts.AgentChannel.channel",
    "conversations.Tag.colour",
    "conversations.SuggestionSettings.is_on",  # Its label is "suggest replies to agents".
    "routing.TargetingCondition.operator",  # It reads as a sentence: cart.total is at least 80.
}


def settings_pages() -> Iterator[tuple[type[models.Model], BaseModelAdmin[Any]]]:
    for model, page in admin.site._registry.items():
        if not isinstance(page, ReadOnly):
            yield model, page
        for inline in page.inlines:
            if not issubclass(inline, ReadOnly):
                yield inline.model, inline(model, admin.site)


def filled_in() -> Iterator[models.Field[Any, Any]]:
    """Return the fields that somebody fills in on some page of the administration."""
    for model, page in settings_pages():
        listed = [*(page.fields or ())]
        for _title, options in page.fieldsets or ():
            listed += options["fields"]
        names = {
            name for one in listed for name in (one if isinstance(one, tuple | list) else [one])
        }
        locked = {*(page.readonly_fields or ()), *(page.exclude or ())}
        for field in (*model._meta.fields, *model._meta.many_to_many):
            is_shown = not names or field.name in names
            if is_shown and field.editable and not field.auto_created and field.name not in locked:
                yield field


def help_of(field: models.Field[Any, Any]) -> str:
    return str(field.help_text)


def test_fields_whose_name_says_too_little_have_a_help_text() -> None:
    silent = {
        str(field)
        for field in filled_in()
        if (isinstance(field, NEEDS_HELP) or field.choices) and not help_of(field)
    }
    assert silent == OBVIOUS


def test_help_texts_are_translated() -> None:
    with translation.override("fr"):
        french = {str(field): help_of(field) for field in filled_in()}
    with translation.override("en"):
        english = {str(field): help_of(field) for field in filled_in()}
    ours = {str(field) for field in filled_in() if isinstance(field.help_text, Promise)}
    same = {name for name in ours if english[name] and english[name] == french[name]}
    assert len(ours) > 50
    assert same == set()
