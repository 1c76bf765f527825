"""Periodic tasks of the Messenger. A task is only a trigger; rows say what is owed."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from conversations.lifecycle.deadlines import database_now
from messenger.channels import connecting, inbound, outbound
from messenger.channels.email import mailboxes
from messenger.mail import delivery, pending_mails, replies


@shared_task
def write_to_visitors() -> int:
    """Decide about e-mails and send those owed; return how many were accepted here."""
    now = database_now()
    pending_mails.look(at=now)
    return delivery.send_due(at=now)


@shared_task
def exchange_by_channels() -> int:
    """Take in and send what is due by inboxes; return for how many people there was something."""
    return inbound.take_due() + outbound.send_due()


@shared_task
def fetch_mailboxes() -> int:
    """Fetch new e-mails of inboxes by IMAP; return how many came."""
    return mailboxes.fetch_all()


@shared_task
def refresh_templates() -> int:
    """Copy the templates of channels again; return for how many inboxes it worked."""
    return connecting.refresh_templates()


@shared_task
def forget_stray_mails() -> int:
    """Delete the notes of old mails that belong to no conversation; return how many."""
    return replies.forget_strays(before=database_now() - timedelta(days=settings.STRAY_MAIL_DAYS))
