"""The tables of this room that refer to visitors: what they answered to bots is theirs."""

from __future__ import annotations

from conversations.privacy.tables import PersonalTable
from routing.models import BotRun, ProgramRun, Repair

TABLES = (
    PersonalTable(BotRun, ("conversation_id", "state", "began_at")),
    PersonalTable(ProgramRun, ("conversation_id", "values", "rest", "owed", "began_at")),
    PersonalTable(Repair),
)
