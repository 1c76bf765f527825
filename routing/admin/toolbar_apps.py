"""Administration of the applications in the desk's toolbar."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.logins.reauthentication import AsksAgain
from accounts.models import ToolbarApp
from accounts.models.identity import new_secret
from accounts.rights import ForAdministrators
from accounts.widgets import CheckboxList
from core import encryption


class ToolbarAppForm(forms.ModelForm):
    """A toolbar application; its fields are listed by the admin class."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        website, groups = cleaned.get("website"), cleaned.get("groups")
        if website and groups and any(group.website_id != website.pk for group in groups):
            self.add_error("groups", _("These groups belong to another website."))
        return cleaned


@admin.register(ToolbarApp)
class ToolbarAppAdmin(AsksAgain, ForAdministrators, admin.ModelAdmin):
    """Toolbar applications, each with its own secret to verify who is calling (R195)."""

    form = ToolbarAppForm
    fields = ("website", "name", "url", "groups", "position", "is_enabled", "signing_secret")
    list_display = ("name", "website", "url", "position", "is_enabled")
    list_filter = ("website", "is_enabled")
    list_select_related = ("website",)
    readonly_fields = ("signing_secret",)
    actions = ("renew",)
    formfield_overrides = {
        models.URLField: {"assume_scheme": "https"},
        models.ManyToManyField: {"widget": CheckboxList(_("groups"))},
    }

    @admin.display(description=_("secret"))
    def signing_secret(self, app: ToolbarApp) -> str:
        if not app.pk:
            return str(_("Shown after you save."))
        try:
            return str(app.secret.reveal())
        except encryption.Unreadable:
            return str(_("This secret can no longer be read. Replace it."))

    @admin.action(
        description=_("Replace the secrets of these applications"), permissions=["change"]
    )
    def renew(self, request: HttpRequest, queryset: QuerySet[ToolbarApp]) -> None:
        for app in queryset:
            app.secret = new_secret()
            app.save(update_fields=["secret"])
        self.message_user(request, _("The previous secrets no longer work."))
