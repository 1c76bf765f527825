"""The visitor's history, hidden and shown again (R28, C13), and what that means for mails."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from conversations.models import Visitor
from conversations.visitors import persons
from messenger.mail import addresses


@transaction.atomic
def hide(visitor: Visitor, *, hidden: bool, at: datetime) -> None:
    """Hide what was said until ``at``, or show all. No mail tells of what is hidden; what was not
    mailed for that reason is looked at again when it is shown."""
    persons.hide(visitor, at=at if hidden else None)
    if not hidden:
        addresses.look_again(visitor, at=at)
