"""Administration of users and websites, and who may administer what (R119, C39).

Roles decide here, not Django's table of permissions: one list of rights, in one place.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group as PermissionGroup
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User, Website

admin.site.site_header = admin.site.site_title = "Causerie"
admin.site.index_title = _("Settings")
# Roles decide; Django's groups of permissions would only look as if they did.
admin.site.unregister(PermissionGroup)


class ForAdministrators:
    """Administrators may do all; others see nothing."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _administers(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _administers(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _administers(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _administers(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _administers(request)


class ForOverseers(ForAdministrators):
    """Managers may see and change what they oversee; ``get_queryset`` says what that is."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _oversees(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _oversees(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _oversees(request)


class ReadOnly(ForAdministrators):
    """What only the product writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _administers(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.administers


def _oversees(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.oversees


@admin.register(User)
class PersonAdmin(ForAdministrators, UserAdmin):
    list_display = ("username", "first_name", "last_name", "role", "is_active")
    list_filter = ("role", "is_active")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "language", "timezone")}),
        (_("Rights"), {"fields": ("role", "is_active", "is_staff")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "usable_password", "password1", "password2", "role"),
            },
        ),
    )


@admin.register(Website)
class WebsiteAdmin(ForAdministrators, admin.ModelAdmin):
    list_display = ("name", "key", "language", "time_zone")
    search_fields = ("name", "key")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
