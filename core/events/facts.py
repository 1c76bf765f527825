"""The base class of facts: small frozen records in the past tense that trigger reactions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened. Fields are plain JSON values, so that the outbox can store them."""
