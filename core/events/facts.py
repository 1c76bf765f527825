"""The base of all facts: small frozen records, named in the past tense, that reactions hang on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened. Fields are plain JSON values, so that the outbox can store them."""
