"""The copy of their data that visitors can download themselves (GDPR 15 and 20).

Only the columns that the rooms have registered are included (``conversations.privacy.tables``).
Internal notes of agents, and how conversations were distributed, are part of the full export that
the website provides on request.
"""

from __future__ import annotations

from typing import Any

from conversations.models import Visitor
from conversations.privacy import personal_data
from conversations.privacy.tables import registered


def copy_for(visitor: Visitor) -> dict[str, Any]:
    """Return the copy by table, as plain JSON, for all visitors of the same person."""
    whole = personal_data.export(personal_data.of_visitor(visitor))
    given = {label: table.given for label, table in registered().items() if table.given}
    tables = {
        label.partition(".")[2]: [{name: row[name] for name in given[label]} for row in rows]
        for label, rows in whole["tables"].items()
        if label in given
    }
    return {"website": whole["website"], "kept": tables}
