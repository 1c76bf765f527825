"""What visitors download of the tables of e-mail."""

from __future__ import annotations

from conversations.privacy.tables import PersonalTable
from messenger.models import Attempt, Mail, Reply

TABLES = (
    PersonalTable(Mail, ("conversation_id", "to", "created_at")),
    PersonalTable(Attempt),
    PersonalTable(Reply),
)
