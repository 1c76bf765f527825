"""Telling a provider where the door of an inbox is, after an administrator has saved it."""

from __future__ import annotations

import logging
import secrets

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_noop

from conversations.models import Inbox
from core import encryption
from messenger.channels import registry
from messenger.channels.connector import Connector, Later, Undeliverable

logger = logging.getLogger(__name__)


def door_of(inbox: Inbox) -> str:
    """Return the address that the provider calls."""
    return settings.PUBLIC_URL + reverse("inbox_door", args=[inbox.key])


def prepare(inbox: Inbox) -> None:
    """Give a new inbox the secret that the product makes for it."""
    connector = registry.of(inbox.kind)
    if connector is not None and connector.makes_secret and not inbox.secret:
        inbox.secret = secrets.token_urlsafe(32)


def connect(*, inbox_id: int) -> None:
    """Reaction: an inbox was saved. What the provider says against it is shown beside it."""
    inbox = Inbox.objects.filter(pk=inbox_id).first()
    connector = registry.of(inbox.kind) if inbox else None
    if inbox is None or connector is None or not inbox.is_active:
        return
    trouble = ""
    try:
        connector.connect(inbox, door_of(inbox))
        copy_templates(inbox, connector)
    except (Later, Undeliverable) as error:
        trouble = str(error)[:300]
    except encryption.Unreadable:
        trouble = gettext_noop("The stored token can no longer be read.")
    Inbox.objects.filter(pk=inbox.pk).update(trouble=trouble)


def copy_templates(inbox: Inbox, connector: Connector) -> None:
    """Copy the texts that the provider has approved; raise as the connector does."""
    found = [one.as_json() for one in connector.templates(inbox)]
    Inbox.objects.filter(pk=inbox.pk).update(templates=found)


def refresh_templates() -> int:
    """Copy the templates of every inbox again: they are approved and paused at any time. Return for
    how many inboxes it worked."""
    count = 0
    for inbox in Inbox.objects.filter(is_active=True):
        connector = registry.of(inbox.kind)
        if connector is None or not connector.limits.reply_window:
            continue
        try:
            copy_templates(inbox, connector)
            count += 1
        except (Later, Undeliverable, encryption.Unreadable) as error:
            # The former copy stays: an agent can try them, and learns what the provider says.
            logger.info("inbox %s: its templates could not be read: %s", inbox.pk, error)
    return count
