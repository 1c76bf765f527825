"""An error message for each database constraint that a settings form can violate."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

SENTENCES = {
    "agent_channel_once": _("This agent already has slots for this channel."),
    "app_name_once": _(
        "This website already has an application with this name. Choose another name."
    ),
    "api_token_has_scopes": _("Choose at least one permission."),
    "bot_name_once": _("This website already has a bot with this name. Choose another name."),
    "group_name_once": _("This website already has a group with this name. Choose another name."),
    "group_once_in_rule": _("This group is already in the rule. Add each group once."),
    "holiday_once": _("This day already has an entry with the same opening time."),
    "inbox_name_once": _("This website already has an inbox with this name. Choose another name."),
    "rule_name_once": _("This website already has a rule with this name. Choose another name."),
    "skill_name_once": _(
        "This website already has a skill of this kind with this name. Choose another name."
    ),
    "special_hours_are_whole": _("Enter an opening and a closing time for special hours."),
    "tag_name_once": _("Another tag of this website already has this name. It may be archived."),
    "targeting_counts_this_page": _("The current page counts too. Enter 1 or more."),
    "targeting_name_once": _(
        "This website already has a rule with this name. Choose another name."
    ),
    "webhook_has_events": _("Choose at least one event."),
    "webhook_name_once": _(
        "This website already has a webhook with this name. Choose another name."
    ),
}
"""Keyed by constraint name. Constraints that no form can violate are not listed."""


def check(row: Model, *, exclude: Collection[str] = ()) -> None:
    """Raise ``ValidationError`` for what a row may not be, with ``SENTENCES`` for the constraints:
    what a settings form does, for entry points that have none. ``exclude`` are columns that the row
    gets later."""
    row.full_clean(exclude=exclude, validate_unique=False, validate_constraints=False)
    row.validate_unique()
    constraints: list[Any] = list(row._meta.constraints)
    for constraint in constraints:
        try:
            constraint.validate(type(row), row)
        except ValidationError:
            if constraint.name not in SENTENCES:
                raise
            raise ValidationError(SENTENCES[constraint.name]) from None


class InSentences:
    """A mixin for model forms that reports violated constraints by ``SENTENCES``.

    It also checks constraints on fields that the form does not show. Django leaves those to the
    database, and the violation would be an error page.
    """

    def validate_unique(self) -> None:
        form: Any = self
        super().validate_unique()  # type: ignore[misc]
        for constraint in form.instance._meta.constraints:
            if constraint.name not in SENTENCES:
                continue
            try:
                constraint.validate(type(form.instance), form.instance, exclude=set(form.errors))
            except ValidationError as violated:
                _replace(form, violated.messages, SENTENCES[constraint.name])


def _replace(form: Any, messages: list[str], sentence: Any) -> None:
    """Add the sentence, and remove Django's own message about the same violation."""
    own = form.errors.get(NON_FIELD_ERRORS)
    if own is not None:
        own.data = [error for error in own.data if error.messages != messages]
        if not own.data:
            del form.errors[NON_FIELD_ERRORS]
    form.add_error(None, sentence)


def in_sentences(form: type) -> type:
    """Return the form class with ``InSentences`` mixed in."""
    return type(form)(form.__name__, (InSentences, form), {})
