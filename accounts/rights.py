"""Permissions in the administration: roles decide, not Django's permission table (R119, C39).

Administrators set everything. Managers set the capacities, members and opening hours of the groups
they manage; each page's ``get_queryset`` selects the rows. Auditors see the pages of administrators
and reviewers those of managers, without changing anything. Agents have no access.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard, TypeVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.constraints import in_sentences
from accounts.deletion_blockers import held_by
from accounts.models import Agent, Group, User, Website

Row = TypeVar("Row", bound=Model)


def administers(user: User | AnonymousUser) -> TypeGuard[User]:
    return isinstance(user, User) and user.is_active and user.administers


def oversees(user: User | AnonymousUser) -> TypeGuard[User]:
    return isinstance(user, User) and user.is_active and user.oversees


def steers(user: User | AnonymousUser) -> TypeGuard[User]:
    return isinstance(user, User) and user.is_active and user.steers


def sees_everything(user: User | AnonymousUser) -> TypeGuard[User]:
    return isinstance(user, User) and user.is_active and user.sees_everything


class ForAdministrators:
    """A mixin for pages that only administrators may change, and only they and auditors see."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return sees_everything(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return sees_everything(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request.user)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form, with readable errors for violated constraints; inlines get the same."""
        return in_sentences(super().get_form(request, obj, change=change, **kwargs))  # type: ignore[misc]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        formset.form = in_sentences(formset.form)
        return formset

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Report first what prevents the deletion, with links. An administrator may also delete the
        object's parts."""
        if held := held_by(objs, self.admin_site):  # type: ignore[attr-defined]
            return [], {}, set(), held
        shown, counts, missing, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        return shown, counts, set() if administers(request.user) else missing, protected

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the lookups of the list's own filters only (N2).

        Django allows any column of the table in a list's address. Whether rows remain for
        ``?token_hash__startswith=a`` or ``?groups__id__exact=7`` would tell users, letter by
        letter, what no page shows them.
        """
        assert request is not None
        return lookup in set(_lookups_of(self, request))

    # Django's own log would duplicate the record, and only for changes in the administration.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The database records it (``accounts.audit``)."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The database records it."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """The database records it."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the record of the object's changes."""
        if not sees_everything(request.user):
            raise PermissionDenied
        label = self.model._meta.label_lower  # type: ignore[attr-defined]
        about = urlencode({"about": f"{label}:{object_id}"})
        return redirect(f"{reverse('admin:accounts_change_changelist')}?{about}")


def _lookups_of(its_admin: Any, request: HttpRequest) -> Iterator[str]:
    """Yield the lookups that the filters of a list send, as Django names them."""
    for one in its_admin.get_list_filter(request):
        if isinstance(one, type):
            yield one.parameter_name  # type: ignore[attr-defined]
            continue
        path = one if isinstance(one, str) else one[0]
        field: Any = get_fields_from_path(its_admin.model, path)[-1]
        column = f"{path}__{field.target_field.name}" if field.is_relation else path
        yield from (f"{column}__exact", f"{path}__isnull")
    if its_admin.date_hierarchy:
        yield from (f"{its_admin.date_hierarchy}__{part}" for part in ("year", "month", "day"))


class OverseenWebsites(admin.RelatedFieldListFilter):
    """A filter by website that names only the websites of the user's groups."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        mine = {"pk__in": websites_of(request.user).order_by().values("pk")}
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to=mine)


class ForOverseers(ForAdministrators):
    """A mixin for pages on which managers see and change the rows of ``get_queryset``, and
    reviewers see them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return oversees(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return oversees(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return steers(request.user)


class PartForOverseers(ForOverseers):
    """A mixin for inlines whose rows managers may also add and remove: slots, hours, holidays."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class ReadOnly(ForAdministrators):
    """A mixin for pages about rows that only the product writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def within_token(rows: QuerySet[Row], user: User, website: str = "website") -> QuerySet[Row]:
    """Return the rows of the websites to which the token of this request confines ``user``: all
    without such a limit. ``website`` is the column that names the website."""
    if user.confined_to is None:
        return rows
    return rows.filter(**{f"{website}__in": user.confined_to})


def websites_of(user: User | AnonymousUser) -> QuerySet[Website]:
    """Return all websites for administrators and auditors; for others, those of the groups that
    they oversee."""
    if sees_everything(user):
        return within_token(Website.objects.all(), user, "pk")
    if not oversees(user):
        return Website.objects.none()
    return Website.objects.filter(pk__in=groups_of(user).values("website"))


def groups_of(user: User | AnonymousUser) -> QuerySet[Group]:
    """Return the groups that a user oversees, whose members and hours a manager may set."""
    if sees_everything(user):
        return within_token(Group.objects.all(), user)
    if not oversees(user):
        return Group.objects.none()
    return within_token(Group.objects.filter(managers=user.pk), user)


def agents_of(user: User | AnonymousUser) -> QuerySet[Agent]:
    """Return the agents that a user oversees, whose capacities a manager may set: the members of
    their groups."""
    if sees_everything(user) and user.confined_to is None:
        return Agent.objects.all()
    return Agent.objects.filter(pk__in=groups_of(user).values("members"))


def candidates_of(user: User | AnonymousUser) -> QuerySet[Agent]:
    """Return the agents whom a user may add to a group: for managers, the members of any group of
    their groups' websites."""
    if administers(user) and user.confined_to is None:
        return Agent.objects.all()
    mine = Q(groups__website__in=websites_of(user))
    # A subquery, because the join repeats agents who are in several groups.
    return Agent.objects.filter(pk__in=Agent.objects.filter(mine).values("pk"))
