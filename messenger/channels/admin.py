"""Administration of inboxes, and of what came and left by them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.logins.reauthentication import AsksAgain
from accounts.rights import ForAdministrators, ReadOnly
from accounts.widgets import SecretField
from conversations.facts import InboxSaved
from conversations.inboxes import kinds
from conversations.models import InboundMessage, InboundStatus, Inbox, OutboundMessage
from core.events import bus
from messenger.channels import connecting, registry
from messenger.channels.connector import Setting
from routing.admin.saving import Published

SECRETS = ("token", "secret")


class InboxForm(forms.ModelForm):
    """The form of an inbox. Its connector's settings are fields that ``form_for`` adds."""

    class Meta:
        model = Inbox
        fields = ("website", "kind", "name", "rule", "is_active")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "kind" in self.fields:
            choices = [(one.kind, one.label) for one in registry.every()]
            self.fields["kind"] = forms.ChoiceField(label=_("Channel"), choices=choices)
        for setting in _settings_of(self.instance):
            if setting.name not in SECRETS and setting.name in self.fields:
                self.fields[setting.name].initial = self.instance.options.get(setting.name, "")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        website = cleaned.get("website") or (self.instance.website if self.instance.pk else None)
        rule = cleaned.get("rule")
        if rule is not None and website is not None and rule.website_id != website.pk:
            self.add_error("rule", _("This rule belongs to another website."))
        for setting in _settings_of(self.instance):
            if setting.name in SECRETS and setting.is_required and not self._has(setting.name):
                self.add_error(setting.name, ValidationError(_("This field is required.")))
        return cleaned

    def _has(self, name: str) -> bool:
        """Return whether a secret is there once this is saved."""
        given = self.cleaned_data.get(name)
        return bool(getattr(self.instance, name)) if given is None else bool(given)

    def save(self, commit: bool = True) -> Inbox:
        inbox: Inbox = self.instance
        for setting in _settings_of(inbox):
            given = self.cleaned_data.get(setting.name)
            if setting.name not in SECRETS:
                inbox.options[setting.name] = given
            elif given is not None:
                setattr(inbox, setting.name, given)
        if inbox._state.adding:
            inbox.created_at = timezone.now()
        connecting.prepare(inbox)
        saved: Inbox = super().save(commit=commit)
        return saved


def _settings_of(inbox: Inbox | None) -> tuple[Setting, ...]:
    """Return what the connector of a stored inbox asks for."""
    connector = registry.of(inbox.kind) if inbox is not None and inbox.pk else None
    return tuple(connector.settings) if connector else ()


def form_for(inbox: Inbox | None) -> type[InboxForm]:
    """Return the form with a field for each setting of the inbox's connector."""
    fields: dict[str, Any] = {}
    for setting in _settings_of(inbox):
        is_secret = setting.name in SECRETS
        kind = SecretField if is_secret else forms.CharField
        fields[setting.name] = kind(
            label=setting.label,
            help_text=setting.help_text,
            required=setting.is_required and not is_secret,
            widget=forms.Textarea(attrs={"rows": 4}) if setting.is_long else None,
        )
    return type("InboxForm", (InboxForm,), fields)


@admin.register(Inbox)
class InboxAdmin(AsksAgain, ForAdministrators, Published, admin.ModelAdmin):
    """Where people write to a website besides its Messenger. The page of a new inbox asks for its
    channel; the next one for what that channel requires."""

    list_display = ("name", "channel", "website", "rule", "is_active", "state", "waiting")
    list_filter = ("website", "is_active")
    list_select_related = ("website", "rule")
    search_fields = ("name",)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(request, obj, change=change, **{**kwargs, "form": form_for(obj)})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("website", "kind", "name", "rule", "is_active")
        named = tuple(one.name for one in _settings_of(obj))
        return ("website", "channel", "name", "rule", *named, "is_active", "door", "state")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("website", "channel", "door", "state") if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill in nothing from the address: a link must not choose where words are sent."""
        return {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Inbox]:
        waits = Count("inbound", filter=Q(inbound__status=InboundStatus.WAITING))
        rows: QuerySet[Inbox] = super().get_queryset(request).annotate(waiting_count=waits)
        return rows

    @admin.display(description=_("channel"))
    def channel(self, inbox: Inbox) -> str:
        return str(kinds.of(inbox.kind).label)

    @admin.display(description=_("address for the provider"))
    def door(self, inbox: Inbox) -> str:
        return connecting.door_of(inbox)

    @admin.display(description=_("state"))
    def state(self, inbox: Inbox) -> str:
        if not inbox.is_active:
            return gettext("Disabled")
        return gettext(inbox.trouble) if inbox.trouble else gettext("Working")

    @admin.display(description=_("waiting for room"))
    def waiting(self, inbox: Any) -> int:
        count: int = inbox.waiting_count
        return count

    def published(self, inbox: Inbox) -> None:
        bus.publish(InboxSaved(inbox_id=inbox.pk))

    def removed(self, inbox: Inbox) -> None:
        """Nothing reacts: without its row the door is closed."""

    def response_add(
        self, request: HttpRequest, obj: Inbox, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on with what the channel requires."""
        answer = super().response_add(request, obj, post_url_continue)
        goes_on = _settings_of(obj) and "_save" in request.POST
        url = reverse("admin:conversations_inbox_change", args=[obj.pk])
        return redirect(url) if goes_on else answer


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnly, admin.ModelAdmin):
    """What came, without its words: they are in the conversation."""

    list_display = ("received_at", "inbox", "correspondent", "conversation", "status", "why")
    list_filter = ("inbox", "status")
    list_select_related = ("inbox", "correspondent", "conversation")
    search_fields = ("=conversation__id", "=provider_id")
    fields = (
        *("inbox", "correspondent", "conversation", "provider_id", "received_at"),
        *("status", "why", "attempts", "due_at"),
    )
    show_full_result_count = False

    @admin.display(description=_("reason"))
    def why(self, row: InboundMessage) -> str:
        return gettext(row.reason) if row.reason else ""


@admin.register(OutboundMessage)
class OutboundMessageAdmin(ReadOnly, admin.ModelAdmin):
    """What left, and what its provider said of it."""

    list_display = ("created_at", "inbox", "conversation", "seq", "status", "why", "attempts")
    list_filter = ("inbox", "status")
    list_select_related = ("inbox", "conversation")
    search_fields = ("=conversation__id", "=provider_id")
    fields = (
        *("inbox", "conversation", "seq", "provider_id", "created_at"),
        *("status", "why", "attempts", "due_at", "changed_at"),
    )
    show_full_result_count = False

    @admin.display(description=_("reason"))
    def why(self, row: OutboundMessage) -> str:
        return gettext(row.reason) if row.reason else ""
