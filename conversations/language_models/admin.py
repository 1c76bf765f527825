"""Administration of language models: the choice of a website, and the log of what was sent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.logins.reauthentication import AsksAgain
from accounts.rights import ForAdministrators, ReadOnly
from accounts.widgets import SecretField, SecretInput
from conversations.language_models import endpoint
from conversations.models import LanguageModelCall, LanguageModelSettings, WritingAid
from core import outside_servers, web_addresses


class LanguageModelForm(forms.ModelForm):
    class Meta:
        model = LanguageModelSettings
        fields = (
            "website",
            "base_url",
            "model",
            "api_key",
            "seconds",
            "daily_tokens",
            "answers_visitors",
            "answers_per_conversation",
            "helps_agents",
            "summarises",
        )
        field_classes = {"api_key": SecretField}
        widgets = {
            "api_key": SecretInput,
            "daily_tokens": forms.NumberInput(attrs={"class": "vBigIntegerField"}),
        }

    def clean_base_url(self) -> str:
        """Refuse what a call would refuse later (N8)."""
        url: str = self.cleaned_data["base_url"]
        try:
            endpoint.check(url)
        except outside_servers.Forbidden:
            raise forms.ValidationError(
                _("This address cannot be called. Use a public server on the standard port.")
            ) from None
        return url

    def clean(self) -> dict[str, Any]:
        """Refuse to send the stored key to another server than the one it was entered for."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        before, after = self.initial.get("base_url"), cleaned.get("base_url")
        is_moved = bool(after) and web_addresses.origin_of(before) != web_addresses.origin_of(after)
        is_kept = self.initial.get("api_key") and cleaned.get("api_key") is None
        if is_kept and is_moved:
            self.add_error(
                "api_key",
                _("The address leads to another server. Enter its secret, or remove this one."),
            )
        return cleaned


@admin.register(LanguageModelSettings)
class LanguageModelAdmin(AsksAgain, ForAdministrators, admin.ModelAdmin):
    """Which language model a website uses, and for what. Everything is off by default."""

    form = LanguageModelForm
    list_display = (
        "website",
        "base_url",
        "model",
        "answers_visitors",
        "helps_agents",
        "summarises",
    )
    list_select_related = ("website",)


@admin.register(LanguageModelCall)
class LanguageModelCallAdmin(ReadOnly, admin.ModelAdmin):
    """The log of calls: what left, by hash and size, and how they ended."""

    list_display = (
        "sent_at",
        "website",
        "conversation",
        "purpose",
        "outcome",
        "tokens",
        "took_seconds",
    )
    list_filter = ("website", "purpose", "outcome")
    list_select_related = ("website", "conversation")
    search_fields = ("=conversation__id", "=sent_sha256")
    show_full_result_count = False


@admin.register(WritingAid)
class WritingAidAdmin(ReadOnly, admin.ModelAdmin):
    """What became of the texts that agents asked for; the filters count them."""

    list_display = ("asked_at", "conversation", "agent", "kind", "state")
    list_filter = ("conversation__website", "kind", "state")
    list_select_related = ("conversation", "agent")
    search_fields = ("=conversation__id",)
    show_facets = admin.ShowFacets.ALWAYS
    fields = ("conversation", "agent", "kind", "state", "asked_at")
