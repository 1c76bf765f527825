"""Administration of providers of single sign-on, and of whom they let in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.logins.reauthentication import AsksAgain
from accounts.models import AdmissionRule, IdentityProvider
from accounts.rights import ForAdministrators
from accounts.single_sign_on import discovery
from accounts.widgets import CheckboxList, SecretField, SecretInput
from core.outside_calls import Failed


class ProviderForm(forms.ModelForm):
    class Meta:
        model = IdentityProvider
        fields = (
            *("name", "key", "issuer", "client_id", "client_secret", "is_enabled"),
            *("creates_accounts", "groups_claim"),
        )
        field_classes = {"client_secret": SecretField}
        widgets = {"client_secret": SecretInput}

    def clean(self) -> dict[str, Any]:
        """Ask the provider for its configuration, and refuse to send a stored secret to another
        provider than the one it was entered for."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        issuer = cleaned.get("issuer")
        if not issuer:
            return cleaned
        is_moved = self.initial.get("issuer") not in (None, issuer)
        is_kept = self.initial.get("client_secret") and cleaned.get("client_secret") is None
        if is_kept and is_moved:
            self.add_error(
                "client_secret",
                _("The address leads to another server. Enter its secret, or remove this one."),
            )
        if cleaned.get("is_enabled"):
            try:
                discovery.configuration_of(issuer)
            except Failed:
                self.add_error(
                    "issuer",
                    _("This server does not respond as an OpenID Connect provider with this name."),
                )
        return cleaned


class RuleInline(ForAdministrators, admin.TabularInline):
    model = AdmissionRule
    fields = ("position", "basis", "value", "role", "groups")
    extra = 0

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = CheckboxList(db_field.verbose_name)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            for what in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{what}_related", False)
        return field


@admin.register(IdentityProvider)
class IdentityProviderAdmin(AsksAgain, ForAdministrators, admin.ModelAdmin):
    """Where users log in by single sign-on, and who gets an account by it."""

    form = ProviderForm
    list_display = ("name", "issuer", "is_enabled", "creates_accounts")
    fields = (
        *("name", "key", "issuer", "client_id", "client_secret", "is_enabled", "addresses"),
        *("creates_accounts", "groups_claim"),
    )
    readonly_fields = ("addresses",)
    inlines = (RuleInline,)

    @admin.display(description=gettext_lazy("to enter at the provider"))
    def addresses(self, provider: IdentityProvider) -> SafeString | str:
        """Show the addresses that the provider asks for."""
        if not provider.key:
            return _("Shown once this is saved.")
        lines = {
            _("Redirect URI"): reverse("single_sign_on_return", args=[provider.key]),
            _("After the logout"): reverse("login"),
            _("Back-channel logout"): reverse("single_sign_on_logout", args=[provider.key]),
        }
        shown = [f"{name}: {settings.PUBLIC_URL}{path}" for name, path in lines.items()]
        return format_html("{}<br>{}<br>{}", *shown)
