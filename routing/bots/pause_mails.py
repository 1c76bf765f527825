"""The mail to the person responsible for a bot that was paused."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from routing.models import BotEndpoint


def send(*, bot_id: int) -> None:
    """Reaction: inform the person responsible that their bot is paused, and why."""
    endpoint = BotEndpoint.objects.select_related("bot__website").filter(bot=bot_id).first()
    if endpoint is None or endpoint.bot.paused_at is None:
        return
    bot = endpoint.bot
    with translation.override(bot.website.language):
        run = bot.program_runs.exclude(last_fault="").order_by("-conversation_id").first()
        context = {
            "bot": bot,
            "url": endpoint.url,
            "fault": run.get_last_fault_display() if run else "",
            "link": settings.PUBLIC_URL + reverse("admin:routing_bot_change", args=[bot.pk]),
        }
        send_mail(
            subject=_("The bot “%(bot)s” is paused") % {"bot": bot.name},
            message=render_to_string("routing/bot_paused.txt", context),
            from_email=None,
            recipient_list=[endpoint.owner_email],
        )
