"""The objects that prevent the deletion of a setting, described with links to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.admin import AdminSite
from django.db import models
from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

NAMED = 5
DEEPEST = 2


def held_by(objs: Iterable[Model], site: AdminSite) -> list[SafeString]:
    """Return a line for each kind of object that still refers to ``objs``: how many there are, and
    the names of some. A part counts as its owner: a queue as its rule."""
    rows = list(objs)
    if not rows:
        return []
    keys_by_model: dict[type[Model], set[Any]] = {}
    for held in _holders(type(rows[0]), [row.pk for row in rows], depth=0):
        whole, keys = _whole(held, type(rows[0]), site)
        keys_by_model.setdefault(whole, set()).update(keys)
    return [_summary(whole, keys, site) for whole, keys in keys_by_model.items() if keys]


def _holders(model: type[Model], keys: Any, *, depth: int) -> Iterator[QuerySet[Any]]:
    """Yield the rows that prevent the deletion. RESTRICT counts only for the deleted rows
    themselves: where they go with their owner, what restricts them goes too (``on_delete`` of the
    rules)."""
    for relation in model._meta.related_objects:
        if relation.many_to_many:
            continue
        related: Any = relation.related_model
        rows = related._base_manager.filter(**{f"{relation.field.name}__in": keys})
        is_restricted = relation.on_delete is models.RESTRICT and depth == 0
        if relation.on_delete is models.PROTECT or is_restricted:
            yield rows
        elif relation.on_delete is models.CASCADE and depth < DEEPEST:
            yield from _holders(related, rows.values("pk"), depth=depth + 1)


def _whole(
    rows: QuerySet[Any], deleted: type[Model], site: AdminSite
) -> tuple[type[Model], Iterable[Any]]:
    """Return model and keys of the rows if they have an admin page, else those of their owners."""
    if not site.is_registered(rows.model):
        for field in rows.model._meta.fields:
            owner = field.related_model
            if not isinstance(owner, type) or owner is deleted or not site.is_registered(owner):
                continue
            if field.remote_field.on_delete is models.CASCADE or field.name == "conversation":
                return owner, rows.order_by().values_list(field.name, flat=True).distinct()
    return rows.model, rows.order_by().values_list("pk", flat=True)


def _summary(model: type[Model], keys: set[Any], site: AdminSite) -> SafeString:
    """Return a line such as "Distribution rules: 2 (Orders, Returns)"."""
    name = capfirst(str(model._meta.verbose_name_plural))
    line = format_html("{}: {}", name, localize(len(keys)))
    if not site.is_registered(model):
        return line
    shown = model._base_manager.filter(pk__in=sorted(keys)[-NAMED:])
    route = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    links = format_html_join(
        ", ", '<a href="{}">{}</a>', ((reverse(route, args=[row.pk]), str(row)) for row in shown)
    )
    more = ", …" if len(keys) > NAMED else ""
    return format_html("{} ({}{})", line, links, more)
