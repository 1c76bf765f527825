"""Whether an agent may have a conversation: asked whenever one is to be theirs, or comes back.

Pure, with its twin in SQL below; tests/routing/test_obstacles.py holds the two to each other. An
active account may have the conversations of the websites of its groups, an administrator's those of
all websites (C50). Opening hours, skills and slots are no part of it: they say when, not whether.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Bar(StrEnum):
    """Why somebody may not have a conversation; the ledger keeps the value."""

    DEACTIVATED = "account_deactivated"
    OTHER_WEBSITE = "other_website"


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides about an agent: the account, the role, the websites of their groups."""

    is_active: bool = True
    administers: bool = False
    website_ids: frozenset[int] = frozenset()


def bar(standing: Standing, website_id: int) -> Bar | None:
    """Return what stops an agent from having a conversation of a website; ``None`` for nothing."""
    if not standing.is_active:
        return Bar.DEACTIVATED
    if not standing.administers and website_id not in standing.website_ids:
        return Bar.OTHER_WEBSITE
    return None


MAY_HAVE = """EXISTS (
    SELECT FROM accounts_agent whose JOIN accounts_user account ON account.id = whose.user_id
    WHERE whose.id = {agent} AND account.is_active AND (
        account.is_superuser OR account.role = 'admin' OR EXISTS (
            SELECT FROM accounts_group_members member
            JOIN accounts_group team ON team.id = member.group_id
            WHERE member.agent_id = whose.id AND team.website_id = {website}
        )
    )
)"""
"""The same as ``bar`` in SQL: true where nothing stops the agent."""
