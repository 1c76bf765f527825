"""Administration of webhooks and the log of their deliveries."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import moments
from accounts.logins.reauthentication import AsksAgain
from accounts.rights import ForAdministrators, ReadOnly
from conversations.models import Webhook, WebhookDelivery
from conversations.webhooks import events, payloads, verbs
from conversations.webhooks.forms import WebhookForm
from core import encryption

OWED = WebhookDelivery.objects.filter(
    webhook=OuterRef("pk"), delivered_at=None, parked_at=None
).order_by()


@admin.register(Webhook)
class WebhookAdmin(AsksAgain, ForAdministrators, admin.ModelAdmin):
    """Receivers of events, with their secrets and how they fare."""

    form = WebhookForm
    fields = (
        *("website", "name", "url", "format", "events"),
        *("owner", "is_enabled", "replay_since", "signing_secret", "standing"),
    )
    readonly_fields = ("signing_secret", "standing")
    list_display = ("name", "website", "format", "standing", "owed")
    list_filter = ("website", "format", "is_enabled")
    search_fields = ("name", "url")
    actions = ("resume", "test", "rotate")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill in nothing from the address: a link must not choose where data are sent."""
        return {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        owed = OWED.values("webhook").annotate(count=Count("pk")).values("count")
        rows: QuerySet[Webhook] = super().get_queryset(request)
        rows = rows.select_related("website", "owner", "progress")
        return rows.annotate(owed_count=Coalesce(Subquery(owed), 0))

    @admin.display(description=_("signing secret"))
    def signing_secret(self, webhook: Webhook) -> str:
        if not webhook.pk:
            return str(_("Shown after you save."))
        try:
            return str(webhook.secret.reveal())
        except encryption.Unreadable:
            return str(_("This secret can no longer be read. Replace it."))

    @admin.display(description=_("state"))
    def standing(self, webhook: Webhook) -> str:
        if not webhook.pk:
            return ""
        progress = webhook.progress
        if not webhook.is_enabled:
            return str(_("Disabled"))
        if progress.paused_at is not None:
            reason = progress.get_pause_reason_display()
            return str(_("Paused: %(reason)s") % {"reason": reason})
        if progress.failing_since is not None:
            since = moments.moment(timezone.localtime(progress.failing_since))
            return str(_("Failing since %(since)s") % {"since": since})
        return str(_("Working"))

    @admin.display(description=_("to send"))
    def owed(self, webhook: Any) -> int:
        count: int = webhook.owed_count
        return count

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            verbs.create(obj, at=timezone.now())
        if since := form.cleaned_data.get("replay_since"):
            verbs.replay(obj, since=since)

    @admin.action(description=_("Send to these webhooks now"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        verbs.resume(queryset.order_by(), at=timezone.now())
        self.message_user(request, _("They continue where they stopped."), messages.SUCCESS)

    @admin.action(description=_("Send a test event"), permissions=["change"])
    def test(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            verbs.test(webhook, at=timezone.now())
        text = _("The test event is being sent. The log of deliveries shows the answer.")
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(description=_("Replace the signing secrets"), permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            verbs.rotate(webhook, at=timezone.now())
        text = _("Deliveries are also signed with the former secrets for another 24 hours.")
        self.message_user(request, text, messages.SUCCESS)


class DeliveryState(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return [
            ("delivered", _("Delivered")),
            ("owed", _("To send")),
            ("parked", _("Given up")),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]
    ) -> QuerySet[WebhookDelivery]:
        if self.value() == "delivered":
            return queryset.filter(delivered_at__isnull=False)
        if self.value() == "parked":
            return queryset.filter(parked_at__isnull=False)
        if self.value() == "owed":
            return queryset.filter(delivered_at=None, parked_at=None)
        return queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, admin.ModelAdmin):
    """The log: what was sent, what the receiver answered, and how long it took."""

    list_display = (
        *("created_at", "webhook", "event", "conversation"),
        *("standing", "status", "duration", "attempts"),
    )
    list_filter = ("webhook", DeliveryState)
    list_select_related = ("webhook", "conversation")
    search_fields = ("=conversation__id",)
    actions = ("send_again",)
    fields = (
        *("webhook", "event", "conversation", "created_at", "standing", "attempts"),
        *("first_tried_at", "tried_at", "due_at", "status", "trouble", "duration"),
        *("is_repeat", "payload", "answer"),
    )
    show_full_result_count = False

    @admin.display(description=_("event"), ordering="kind")
    def event(self, delivery: WebhookDelivery) -> str:
        labels = dict(events.CHOICES) | {events.TEST: _("Test")}
        return str(labels.get(delivery.kind, delivery.kind))

    @admin.display(description=_("state"))
    def standing(self, delivery: WebhookDelivery) -> str:
        if delivery.delivered_at is not None:
            return str(_("Delivered"))
        return str(_("To send") if delivery.is_owed else _("Given up"))

    @admin.display(description=_("duration"), ordering="duration_ms")
    def duration(self, delivery: WebhookDelivery) -> str:
        return "" if delivery.duration_ms is None else f"{delivery.duration_ms} ms"

    @admin.display(description=_("content"))
    def payload(self, delivery: WebhookDelivery) -> SafeString | str:
        body = payloads.bodies_of(delivery.webhook, [delivery]).get(delivery.pk)
        if body is None:
            return str(_("Its content was erased."))
        text = json.dumps(json.loads(body), ensure_ascii=False, indent=2)
        return format_html('<pre class="setup-sample">{}</pre>', text)

    @admin.action(description=_("Send again"), permissions=["view"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        again = len(verbs.send_again(queryset, at=timezone.now()))
        text = ngettext(
            "%(count)d delivery is sent again.", "%(count)d deliveries are sent again.", again
        )
        self.message_user(request, text % {"count": again}, messages.SUCCESS)
