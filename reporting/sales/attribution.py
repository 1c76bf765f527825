"""To whom a transaction belongs, and why: a pure function of the messages before it (C27).

No database, no clock. The answer is stored with the transaction, so that a later change of the
delay, or the erasure of a message, changes no figure of the past.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class AttributionResult(StrEnum):
    """Whether a transaction is attributed to an agent, or why not."""

    ATTRIBUTED = "attributed"
    TOO_LATE = "too_late"
    NO_ANSWER = "no_answer"
    UNKNOWN_VISITOR = "unknown_visitor"


@dataclass(frozen=True, slots=True)
class Word:
    """A message to or from the customer; ``agent_id`` is None if no agent wrote it."""

    at: datetime
    conversation_id: int
    seq: int
    agent_id: int | None


@dataclass(frozen=True, slots=True)
class Attribution:
    """``word`` is the last human message before the transaction, ``elapsed`` the time between."""

    outcome: AttributionResult
    word: Word | None = None
    elapsed: timedelta | None = None

    @property
    def agent_id(self) -> int | None:
        """The agent it is attributed to; None unless the outcome is ``ATTRIBUTED``."""
        is_theirs = self.outcome is AttributionResult.ATTRIBUTED and self.word is not None
        return self.word.agent_id if is_theirs and self.word else None


def attribute(words: Iterable[Word], *, at: datetime, delay: timedelta) -> Attribution:
    """Attribute a transaction to the last agent who wrote before it, in any conversation of the
    customer, at most ``delay`` earlier (R63-R69); never to a bot."""
    human = (word for word in words if word.agent_id is not None and word.at <= at)
    last = max(human, key=lambda word: (word.at, word.conversation_id, word.seq), default=None)
    if last is None:
        return Attribution(AttributionResult.NO_ANSWER)
    elapsed = at - last.at
    outcome = AttributionResult.ATTRIBUTED if elapsed <= delay else AttributionResult.TOO_LATE
    return Attribution(outcome, last, elapsed)
