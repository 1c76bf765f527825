"""The report of an import: how much was taken, and every line that was refused or changed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TextIO

REFUSED, CHANGED = "refused", "changed"


@dataclass(frozen=True, slots=True)
class Row:
    place: str
    kind: str
    name: str
    outcome: str
    reason: str
    is_once: bool = False


class Report:
    """Counts what happened, and writes a line of JSON for whatever was not taken as it stood.

    It names places, ids and reasons, never what people wrote: it may be sent to a colleague.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.taken: Counter[str] = Counter()
        self.known: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.changed = 0
        self._once: set[str] = set()
        self._held: list[Row] | None = None

    def refuse(self, place: str, kind: str, name: str, reason: str) -> None:
        self._add(Row(place, kind, name, REFUSED, reason))

    def change(self, place: str, kind: str, name: str, reason: str) -> None:
        self._add(Row(place, kind, name, CHANGED, reason))

    def change_once(self, place: str, kind: str, name: str, reason: str) -> None:
        """Report something that concerns many lines when it is first met."""
        self._add(Row(place, kind, name, CHANGED, reason, is_once=True))

    def hold(self) -> None:
        """Hold what is reported from now on back, until it is known whether it happened."""
        self._held = []

    def keep(self) -> None:
        held, self._held = self._held or [], None
        for row in held:
            self._add(row)

    def drop(self) -> None:
        self._held = None

    def flush(self) -> None:
        self._out.flush()

    def _add(self, row: Row) -> None:
        if self._held is not None:
            self._held.append(row)
            return
        if row.is_once and row.reason in self._once:
            return
        if row.is_once:
            self._once.add(row.reason)
        if row.outcome == REFUSED:
            self.refused[row.kind] += 1
        else:
            self.changed += 1
        said = {
            "place": row.place,
            "type": row.kind,
            "id": row.name,
            "outcome": row.outcome,
            "reason": row.reason,
        }
        self._out.write(json.dumps(said, ensure_ascii=False) + "\n")
