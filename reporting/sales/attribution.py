"""To whom a transaction belongs, and why: a pure function of what was said before it (C27).

No database, no clock. The answer is stored with the transaction, so that a later change of the
delay, or the erasure of a message, changes no figure of the past.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Outcome(StrEnum):
    """Whether a transaction belongs to somebody, or why not."""

    ATTRIBUTED = "attributed"
    TOO_LATE = "too_late"
    NO_ANSWER = "no_answer"
    UNKNOWN_VISITOR = "unknown_visitor"


@dataclass(frozen=True, slots=True)
class Word:
    """A message to or from the customer; ``agent_id`` is None where no human of ours wrote it."""

    at: datetime
    conversation_id: int
    seq: int
    agent_id: int | None


@dataclass(frozen=True, slots=True)
class Attribution:
    """``word`` is the last human message before the transaction, ``elapsed`` the time between."""

    outcome: Outcome
    word: Word | None = None
    elapsed: timedelta | None = None

    @property
    def agent_id(self) -> int | None:
        """Whose it is; nobody's where the outcome says so."""
        is_theirs = self.outcome is Outcome.ATTRIBUTED and self.word is not None
        return self.word.agent_id if is_theirs and self.word else None


def attribute(words: Iterable[Word], *, at: datetime, delay: timedelta) -> Attribution:
    """The last human who wrote before the transaction, in whatever conversation of the customer,
    if that is no longer ago than ``delay`` (R63-R69); never a bot."""
    human = (word for word in words if word.agent_id is not None and word.at <= at)
    last = max(human, key=lambda word: (word.at, word.conversation_id, word.seq), default=None)
    if last is None:
        return Attribution(Outcome.NO_ANSWER)
    elapsed = at - last.at
    outcome = Outcome.ATTRIBUTED if elapsed <= delay else Outcome.TOO_LATE
    return Attribution(outcome, last, elapsed)
