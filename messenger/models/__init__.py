"""E-mails to visitors, and their replies."""

from messenger.models.mails import Attempt, Mail, MailKind, MailStatus
from messenger.models.replies import Outcome, Reply
from messenger.models.senders import Sender

__all__ = [
    "Attempt",
    "Mail",
    "MailKind",
    "MailStatus",
    "Outcome",
    "Reply",
    "Sender",
]
