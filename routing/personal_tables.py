"""The table of this room that refers to visitors; they do not download it themselves."""

from __future__ import annotations

from conversations.privacy.tables import PersonalTable
from routing.models import Repair

TABLES = (PersonalTable(Repair),)
