"""Permissions in the administration: roles decide, not Django's permission table (R119, C39).

Administrators set everything. Managers set the capacities, members and opening hours of the groups
they manage; each page's ``get_queryset`` selects the rows. Agents have no access.
"""

from __future__ import annotations

from typing import Any, TypeGuard
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.constraints import in_sentences
from accounts.holding import held_by
from accounts.models import Agent, Group, User, Website


def administers(user: User | AnonymousUser) -> TypeGuard[User]:
    return isinstance(user, User) and user.is_active and user.administers


def oversees(user: User | AnonymousUser) -> TypeGuard[User]:
    return isinstance(user, User) and user.is_active and user.oversees


class ForAdministrators:
    """A mixin for pages that only administrators may see and change."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return administers(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers(request.user)

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
        """Redirect administrators to the record of the object's changes."""
        if not administers(request.user):
            raise PermissionDenied
        label = self.model._meta.label_lower  # type: ignore[attr-defined]
        about = urlencode({"about": f"{label}:{object_id}"})
        return redirect(f"{reverse('admin:accounts_change_changelist')}?{about}")


class ForOverseers(ForAdministrators):
    """A mixin for pages on which managers see and change the rows of ``get_queryset``."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return oversees(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return oversees(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return oversees(request.user)


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


def websites_of(user: User | AnonymousUser) -> QuerySet[Website]:
    """Return all websites for administrators; for managers, those of the groups they manage."""
    if administers(user):
        return Website.objects.all()
    if not oversees(user):
        return Website.objects.none()
    return Website.objects.filter(pk__in=groups_of(user).values("website"))


def groups_of(user: User | AnonymousUser) -> QuerySet[Group]:
    """Return the groups whose members and hours a user may set."""
    if administers(user):
        return Group.objects.all()
    if not oversees(user):
        return Group.objects.none()
    return Group.objects.filter(managers=user.pk)


def agents_of(user: User | AnonymousUser) -> QuerySet[Agent]:
    """Return the agents whose capacities a user may set: for managers, members of their groups."""
    if administers(user):
        return Agent.objects.all()
    return Agent.objects.filter(pk__in=groups_of(user).values("members"))


def candidates_of(user: User | AnonymousUser) -> QuerySet[Agent]:
    """Return the agents whom a user may add to a group: for managers, the members of any group of
    their groups' websites."""
    if administers(user):
        return Agent.objects.all()
    mine = Q(groups__website__in=websites_of(user))
    return Agent.objects.filter(pk__in=Agent.objects.filter(mine).values("pk"))
