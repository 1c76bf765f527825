"""What a webhook sends: read from the ledger and the messages each time, never stored.

``VERSION`` changes only if a member changes its meaning or disappears (docs/webhooks.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from conversations import page_links
from conversations.messages import sending
from conversations.models import Event, Message, Webhook, WebhookDelivery, WebhookFormat
from conversations.webhooks import events

VERSION = "1"


def name_of(delivery: WebhookDelivery) -> str:
    """Return the id by which a receiver tells repeats: the same for the same event, always."""
    if delivery.event_id is not None:
        return f"evt_{delivery.event_id}"
    if delivery.message_id is not None:
        return f"msg_{delivery.message_id}"
    return f"alert_{delivery.alert_key}"


def bodies_of(webhook: Webhook, deliveries: Sequence[WebhookDelivery]) -> dict[int, str]:
    """Return the body of each delivery by its id. One whose content was erased is left out."""
    contents = _contents_of(deliveries)
    bodies = {}
    language = (webhook.owner.language if webhook.owner else "") or webhook.website.language
    for delivery in deliveries:
        data = contents.get(delivery.pk)
        if data is None:
            continue
        if webhook.format == WebhookFormat.STANDARD:
            body: dict[str, Any] = _standard(webhook, delivery, data)
        else:
            with translation.override(language):
                body = _message(webhook, sentence_of(webhook, delivery.kind, data), delivery)
        bodies[delivery.pk] = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return bodies


def _standard(webhook: Webhook, delivery: WebhookDelivery, data: dict[str, Any]) -> dict[str, Any]:
    at = data.get("at") or data.get("created_at")
    return {
        "type": delivery.kind,
        "timestamp": at or delivery.created_at.isoformat(),
        "version": VERSION,
        "website": webhook.website.key,
        "conversation": delivery.conversation_id,
        "data": data,
    }


def _contents_of(deliveries: Iterable[WebhookDelivery]) -> dict[int, dict[str, Any]]:
    deliveries = list(deliveries)
    lines = Event.objects.select_related("agent", "group").in_bulk(
        [one.event_id for one in deliveries if one.event_id]
    )
    messages = Message.objects.select_related("agent", "attachment").in_bulk(
        [one.message_id for one in deliveries if one.message_id]
    )
    names = names_of(lines.values())
    contents = {}
    for one in deliveries:
        if one.event_id in lines:
            contents[one.pk] = event_data(lines[one.event_id], names)
        elif one.message_id in messages:
            contents[one.pk] = sending.frame_of(messages[one.message_id])
        elif one.alert is not None:
            contents[one.pk] = one.alert
    return contents


def names_of(lines: Iterable[Event]) -> dict[int, str]:
    """Return the names of the users who acted, by id."""
    ids = {line.actor_user_id for line in lines if line.actor_user_id is not None}
    names = {}
    for user in User.objects.filter(pk__in=ids).select_related("agent"):
        desk = getattr(user, "agent", None)
        names[user.pk] = desk.display_name if desk else user.get_full_name() or user.username
    return names


def event_data(line: Event, names: dict[int, str]) -> dict[str, Any]:
    """Return a line of the ledger with the members that the API gives it."""
    return {
        "id": line.pk,
        "conversation": line.conversation_id,
        "verb": line.verb,
        "at": _moment(line.at),
        "by": line.actor_kind,
        "name": names.get(line.actor_user_id or 0),
        "status": line.to_status,
        "agent": line.agent.display_name if line.agent else None,
        "agent_id": line.agent_id,
        "group": line.group.name if line.group else None,
        "group_id": line.group_id,
        "deadline_at": _moment(line.deadline_at),
        "reason": line.data.get("end_reason"),
    }


def _moment(at: Any) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def sentence_of(webhook: Webhook, kind: str, data: dict[str, Any]) -> str:
    """Return an alert as a sentence, in the active language."""
    site = webhook.website.name
    if kind == events.QUEUE_FULL:
        text = _("%(site)s: the queue of %(group)s (%(rule)s) is full: %(places)s places.")
        return text % {**data, "site": site}
    if kind == events.LOW_RATING:
        text = _("%(site)s: conversation #%(conversation)s was rated %(csat)s out of 5.")
        return text % {**data, "site": site}
    if kind == events.STRANDED:
        text = _(
            "%(site)s: conversation #%(conversation)s went back to its queue (%(group)s), because "
            "its agent’s connection was lost."
        )
        return text % {"site": site, "conversation": data["conversation"], "group": data["group"]}
    return _("%(site)s: this is a test from Causerie.") % {"site": site}


def _message(webhook: Webhook, sentence: str, delivery: WebhookDelivery) -> dict[str, Any]:
    """Return a sentence with a link, as Slack's or Teams' incoming webhooks read it."""
    number = delivery.conversation_id
    path = page_links.CONVERSATION.url(number) if number else page_links.QUEUES.url()
    url = f"{settings.PUBLIC_URL}{path}"
    label = _("Open")
    if webhook.format == WebhookFormat.SLACK:
        # Slack reads these three characters as markup.
        text = sentence.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": f"{text} <{url}|{label}>"}
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "TextBlock", "text": sentence, "wrap": True}],
        "actions": [{"type": "Action.OpenUrl", "title": label, "url": url}],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}
