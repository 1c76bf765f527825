"""What the columns of a conversation can say, with the words for it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.lifecycle.transitions import DeadlineKind, Status


class Style(models.TextChoices):
    """How a conversation ends (C32)."""

    LIVE = "live", _("Live")
    LIVE_WITH_RETURN = "live_with_return", _("Live, with return")
    SOCIAL = "social", _("Social messaging")


class ActorKind(models.TextChoices):
    """The kind of actor, in the ledger and in ``closed_by`` (C1)."""

    VISITOR = "visitor", _("Visitor")
    AGENT = "agent", _("Agent")
    MANAGER = "manager", _("Manager")
    BOT = "bot", _("Bot")
    SYSTEM = "system", _("System")


class CloseReason(models.TextChoices):
    RESOLVED = "resolved", _("Resolved")
    BLOCKED = "blocked", _("Visitor blocked")
    SNOOZE_OVER = "snooze_over", _("Snooze ended without a reply")
    BOT_INACTIVITY = "bot_inactivity", _("Visitor did not respond to the bot")
    BOT_ENDED = "bot_ended", _("Ended by the bot")
    WINDOW_OVER = "window_over", _("Return window ended")
    VISITOR_ENDED = "visitor_ended", _("Ended by the visitor")


STATUS_LABELS = {
    Status.BOT: _("With the bot"),
    Status.QUEUED: _("Waiting"),
    Status.ASSIGNED: _("Assigned"),
    Status.ACTIVE: _("On a desk"),
    Status.SNOOZED: _("Snoozed"),
    Status.PENDING: _("Pending"),
    Status.ON_HOLD: _("On hold"),
    Status.SOLVED: _("Solved"),
    Status.CLOSED: _("Closed"),
}

DEADLINE_LABELS = {
    DeadlineKind.SNOOZE_END: _("End of the snooze"),
    DeadlineKind.ASSIGNMENT_EXPIRY: _("End of the assignment"),
    DeadlineKind.BOT_INACTIVITY: _("Visitor stopped responding to the bot"),
    DeadlineKind.SOLVED_WINDOW: _("End of the return window"),
    DeadlineKind.ANSWER_TIMER: _("Answer timer"),
    DeadlineKind.SKILL_RELAXATION: _("End of the wait for a skill"),
    DeadlineKind.BOT_SILENCE: _("Bot stopped responding to the visitor"),
}
