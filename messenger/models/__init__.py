"""E-mails to visitors, and their replies."""

from messenger.models.mails import Attempt, Mail, MailKind, MailStatus
from messenger.models.replies import Reply, ReplyOutcome
from messenger.models.senders import Sender

__all__ = [
    "Attempt",
    "Mail",
    "MailKind",
    "MailStatus",
    "Reply",
    "ReplyOutcome",
    "Sender",
]
