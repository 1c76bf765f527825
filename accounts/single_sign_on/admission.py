"""Decide which people a provider's claims admit, and with which role. Plain data only: no
database, no request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """One admission rule. ``basis`` is ``domain`` or ``claim``."""

    basis: str
    value: str
    role: str
    group_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Admission:
    """What a person gets."""

    role: str
    group_ids: frozenset[int]


def decide(rules: Sequence[Rule], claims: Mapping[str, Any], groups_claim: str) -> Admission | None:
    """Return the role of the first rule that matches and the groups of all that do; ``None`` if
    none does."""
    domain, groups = confirmed_domain(claims), set(_texts(claims.get(groups_claim)))
    matching = [
        rule
        for rule in rules
        if (rule.basis == "domain" and rule.value.casefold() == domain and domain)
        or (rule.basis == "claim" and rule.value in groups)
    ]
    if not matching:
        return None
    return Admission(matching[0].role, frozenset().union(*(rule.group_ids for rule in matching)))


def confirmed_email(claims: Mapping[str, Any]) -> str:
    """Return the e-mail address, if the provider says that it belongs to the person."""
    email = claims.get("email")
    is_confirmed = claims.get("email_verified") is True
    if not is_confirmed or not isinstance(email, str) or email.count("@") != 1 or len(email) > 254:
        return ""
    return email


def confirmed_domain(claims: Mapping[str, Any]) -> str:
    return confirmed_email(claims).rpartition("@")[2].casefold()


def _texts(value: Any) -> Iterable[str]:
    values = value if isinstance(value, list) else [value]
    return (one for one in values if isinstance(one, str))
