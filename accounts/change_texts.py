"""The record of changes in words: which setting changed, from what to what, by readable names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db.models import Field, ForeignKey, Model
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Change

NOTHING = "–"
# Names of models and columns of the login library, which our catalogue does not translate.
FOREIGN = {
    "mfa.authenticator": gettext_lazy("second factor"),
    "mfa.authenticator.type": gettext_lazy("kind"),
}
# Left out of added and removed rows: they add no information.
HIDDEN = {"id", "password", "is_staff", "is_superuser", "date_joined", "created_at"}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a change. ``before`` is empty in an added row, ``after`` in a removed one."""

    label: str
    before: str
    after: str


class Reader:
    """Describes changes and caches the names it looks up. Create one for each page."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, Any], str] = {}

    def subject(self, change: Change) -> str:
        """Return what was changed: "Group Experts", "Queue (distribution rule Orders)"."""
        kind = self.kind(change.model)
        if change.owner_model and change.owner_id is not None:
            owner = self.kind(change.owner_model)
            name = self._name(change.owner_model, change.owner_id)
            return _("%(part)s (%(owner)s %(name)s)") % {
                "part": capfirst(kind),
                "owner": owner,
                "name": name,
            }
        return f"{capfirst(kind)} {change.name or f'#{change.object_id}'}"

    def kind(self, label: str) -> str:
        """Return the name of a model, or of the field if it is the table of a many-to-many."""
        model = _model(label)
        if model is None:
            return label
        if label in FOREIGN:
            return str(FOREIGN[label])
        maker: Any = model._meta.auto_created  # the model that has the many-to-many field
        if maker:
            for field in maker._meta.many_to_many:
                if field.remote_field.through is model:
                    return str(field.verbose_name)
        return str(model._meta.verbose_name)

    def lines(self, change: Change) -> list[FieldChange]:
        """Return the fields that changed, or the informative fields of an added or removed row."""
        before, after = change.before or {}, change.after or {}
        is_update = change.kind == Change.Kind.CHANGED
        model, rows = _model(change.model), []
        for column in dict.fromkeys([*before, *after]):
            field = _field(model, column)
            if not is_update and (column in HIDDEN or self._is_owner(change, field)):
                continue
            old = self._value(field, before.get(column)) if column in before else ""
            new = self._value(field, after.get(column)) if column in after else ""
            if is_update or (old or new) != NOTHING:
                label = _label(model, field, column)
                rows.append(FieldChange(capfirst(label), old, new))
        return rows

    def _is_owner(self, change: Change, field: Field[Any, Any] | None) -> bool:
        related: Any = field.related_model if field is not None else None
        return bool(related and related._meta.label_lower == change.owner_model)

    def _value(self, field: Field[Any, Any] | None, value: Any) -> str:
        if value is None or value == "" or value == [] or value == {}:
            return NOTHING
        if isinstance(field, ForeignKey):
            related = field.related_model
            assert not isinstance(related, str)
            return self._name(related._meta.label_lower, value)
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        of_items = field.base_field if isinstance(field, ArrayField) else field
        labels = dict(getattr(of_items, "flatchoices", []) or [])
        if isinstance(value, list):
            return ", ".join(str(labels.get(item, item)) for item in value)
        return str(labels.get(value, value))

    def _name(self, label: str, pk: Any) -> str:
        """Return the current name of an object, or its last recorded name if it was removed."""
        key = (label, pk)
        if key not in self._names:
            model = _model(label)
            instance: Model | None = model._base_manager.filter(pk=pk).first() if model else None
            if instance is not None:
                self._names[key] = str(instance)
            else:
                known = Change.objects.filter(model=label, object_id=pk).exclude(name="").first()
                self._names[key] = known.name if known else f"#{pk}"
        return self._names[key]


def _model(label: str) -> type[Model] | None:
    try:
        return apps.get_model(label)
    except LookupError:
        return None  # a model of an older version


def _label(model: type[Model] | None, field: Field[Any, Any] | None, column: str) -> str:
    """Return the field's name. In the table of a many-to-many Django does not translate it, so the
    related model's name is used."""
    if field is None:
        return column
    if model is not None and (foreign := FOREIGN.get(f"{model._meta.label_lower}.{column}")):
        return str(foreign)
    related = field.related_model
    if model is not None and model._meta.auto_created and isinstance(related, type):
        return str(related._meta.verbose_name)
    return str(field.verbose_name)


def _field(model: type[Model] | None, column: str) -> Field[Any, Any] | None:
    if model is None:
        return None
    for field in model._meta.concrete_fields:
        if field.column == column:
            return field
    return None
