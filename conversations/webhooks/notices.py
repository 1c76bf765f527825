"""E-mails to the owner of a webhook: deliveries were given up, or it was paused."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from conversations import page_links
from conversations.facts import WebhookStalled
from conversations.models import Webhook, WebhookDelivery, WebhookProgress
from conversations.webhooks.owed import Claimed
from core.events import bus


def notify_owner(claimed: Claimed, tried: Sequence[WebhookDelivery]) -> None:
    """Owe the owner an e-mail: once for each time that a receiver fails, and when it is paused."""
    progress = claimed.progress
    gave_up = any(one.parked_at is not None for one in tried)
    if progress.paused_at is None and (not gave_up or progress.told_at is not None):
        return
    WebhookProgress.objects.filter(pk=progress.pk).update(told_at=timezone.now())
    bus.publish(WebhookStalled(webhook_id=claimed.webhook.pk))


def send(*, webhook_id: int) -> None:
    """Reaction: write to the owner, if there is one who can be reached."""
    webhook = (
        Webhook.objects.select_related("owner", "website", "progress").filter(pk=webhook_id).first()
    )
    if webhook is None or webhook.owner is None:
        return
    if not webhook.owner.is_active or not webhook.owner.email:
        return
    page = f"{settings.PUBLIC_URL}{page_links.DELIVERIES.url()}?webhook__id__exact={webhook.pk}"
    with translation.override(webhook.owner.language or translation.get_language()):
        context = {"webhook": webhook, "progress": webhook.progress, "page": page}
        is_paused = webhook.progress.paused_at is not None
        subject = _("Webhook paused: %(name)s") if is_paused else _("Webhook failing: %(name)s")
        send_mail(
            subject=subject % {"name": webhook.name},
            message=render_to_string("conversations/webhook_mail.txt", context),
            from_email=None,
            recipient_list=[webhook.owner.email],
        )
