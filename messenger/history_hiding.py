"""Hiding and showing a visitor's history (R28, C13), and the effect on e-mails."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from conversations.models import Visitor
from conversations.visitors import persons
from messenger.mail import addresses


@transaction.atomic
def hide(visitor: Visitor, *, hidden: bool, at: datetime) -> None:
    """Hide the history until ``at``, or show all of it.

    No e-mail announces hidden messages; those held back for that reason are reconsidered when the
    history is shown again.
    """
    persons.hide(visitor, at=at if hidden else None)
    if not hidden:
        addresses.look_again(visitor, at=at)
