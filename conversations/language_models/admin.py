"""Administration of language models: the choice of a website, and the log of what was sent."""

from __future__ import annotations

from django import forms
from django.contrib import admin

from accounts.logins.reauthentication import AsksAgain
from accounts.rights import ForAdministrators, ReadOnly
from accounts.server_forms import ServerForm
from accounts.widgets import SecretField, SecretInput
from conversations.language_models import endpoint
from conversations.models import LanguageModelCall, LanguageModelSettings, WritingAid


class LanguageModelForm(ServerForm):
    address, secret = "base_url", "api_key"
    check = staticmethod(endpoint.check)

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
            "translates",
        )
        field_classes = {"api_key": SecretField}
        widgets = {
            "api_key": SecretInput,
            "daily_tokens": forms.NumberInput(attrs={"class": "vBigIntegerField"}),
        }


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
        "translates",
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
