"""Who may administer what: roles decide, not Django's table of permissions (R119, C39).

Administrators set everything. Managers set the capacities, the memberships and the opening hours
of the groups they manage; ``get_queryset`` of each page says which rows these are. Agents have no
administration. One list of rights, in one place.
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
    """Administrators may do all; others see nothing."""

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
        """What violates a constraint is refused in words, on this page and in its rows."""
        return in_sentences(super().get_form(request, obj, change=change, **kwargs))  # type: ignore[misc]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        formset.form = in_sentences(formset.form)
        return formset

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What holds an object is said before anything else, by name and with links; whoever may
        delete it may delete its parts with it."""
        if held := held_by(objs, self.admin_site):  # type: ignore[attr-defined]
            return [], {}, set(), held
        shown, counts, missing, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        return shown, counts, set() if administers(request.user) else missing, protected

    # Django would keep a second record, of what went through its own pages only.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The database records it (``accounts.audit``)."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The database records it."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """The database records it."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The history of an object is the record of its changes, for administrators."""
        if not administers(request.user):
            raise PermissionDenied
        label = self.model._meta.label_lower  # type: ignore[attr-defined]
        about = urlencode({"about": f"{label}:{object_id}"})
        return redirect(f"{reverse('admin:accounts_change_changelist')}?{about}")


class ForOverseers(ForAdministrators):
    """Managers may see and change what they oversee; ``get_queryset`` says what that is."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return oversees(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return oversees(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return oversees(request.user)


class PartForOverseers(ForOverseers):
    """Rows of a page that its managers may add and remove as well: slots, hours, holidays."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class ReadOnly(ForAdministrators):
    """What only the product writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def websites_of(user: User | AnonymousUser) -> QuerySet[Website]:
    """All for administrators; for managers, those of the groups they manage."""
    if administers(user):
        return Website.objects.all()
    if not oversees(user):
        return Website.objects.none()
    return Website.objects.filter(pk__in=groups_of(user).values("website"))


def groups_of(user: User | AnonymousUser) -> QuerySet[Group]:
    """The groups whose members and hours a user sets."""
    if administers(user):
        return Group.objects.all()
    if not oversees(user):
        return Group.objects.none()
    return Group.objects.filter(managers=user.pk)


def agents_of(user: User | AnonymousUser) -> QuerySet[Agent]:
    """The agents whose capacities a user sets: of managers, the members of their groups."""
    if administers(user):
        return Agent.objects.all()
    return Agent.objects.filter(pk__in=groups_of(user).values("members"))


def candidates_of(user: User | AnonymousUser) -> QuerySet[Agent]:
    """The agents whom a user may make members: of managers, those of the groups' websites."""
    if administers(user):
        return Agent.objects.all()
    mine = Q(groups__website__in=websites_of(user))
    return Agent.objects.filter(pk__in=Agent.objects.filter(mine).values("pk"))
