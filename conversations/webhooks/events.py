"""The events that a webhook can ask for, and which of them an entry of the change feed is."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from conversations.lifecycle.transitions import Verb

MESSAGE = "message.created"
STRANDED = "conversation.stranded"
LOW_RATING = "survey.low_rating"
QUEUE_FULL = "queue.full"
TEST = "test"

ALERTS = {
    QUEUE_FULL: _("A queue is full"),
    STRANDED: _("A conversation went back to its queue because its agent’s connection was lost"),
    LOW_RATING: _("A visitor gave 1 or 2 out of 5"),
}

VERBS = {
    Verb.START_BOT: _("Started with a bot"),
    Verb.QUEUE: _("Entered a queue"),
    Verb.ESCALATE: _("Handed over by a bot"),
    Verb.PUSH: _("Pushed to an agent"),
    Verb.TAKE: _("Taken by an agent"),
    Verb.TRANSFER_TO_GROUP: _("Transferred to a group"),
    Verb.TRANSFER_TO_AGENT: _("Transferred to an agent"),
    Verb.EXPIRE: _("Assignment expired"),
    Verb.RELEASE: _("Released"),
    Verb.REQUEUE: _("Returned to its queue"),
    Verb.DROP_SKILLS: _("Required skills dropped"),
    Verb.SNOOZE: _("Snoozed"),
    Verb.WAKE_TO_AGENT: _("Resumed, for its agent"),
    Verb.WAKE_TO_GROUP: _("Resumed, for its group"),
    Verb.SET_PENDING: _("Set to pending"),
    Verb.SET_ON_HOLD: _("Put on hold"),
    Verb.SOLVE: _("Solved"),
    Verb.REOPEN: _("Reopened, for its agent"),
    Verb.REOPEN_TO_GROUP: _("Reopened, for its group"),
    Verb.UNASSIGN: _("Taken from its agent"),
    Verb.TAKE_BACK: _("Taken back by its agent"),
    Verb.CLOSE: _("Closed"),
}

CHOICES = [
    (MESSAGE, _("A message was written")),
    *((f"conversation.{verb.value}", label) for verb, label in VERBS.items()),
    *ALERTS.items(),
]
NAMES = frozenset(name for name, _label in CHOICES)


def kind_of_event(verb: str, actor: str, wanted: Collection[str]) -> str:
    """Return which of the ``wanted`` events a line of the ledger is; empty if none."""
    if verb == Verb.RELEASE and actor == "system" and STRANDED in wanted:
        return STRANDED
    name = f"conversation.{verb}"
    return name if name in wanted else ""
