"""The rule that says whether an agent may have a conversation. It is checked whenever one is given
or returned to them.

Pure, with an equivalent in SQL below; tests/routing/test_obstacles.py checks that both agree. An
agent with an active account may have the conversations of their groups' websites, an administrator
those of all websites (C50); a role that only reads has none. Opening hours, skills and slots do not
count: they decide when, not whether.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Bar(StrEnum):
    """Why an agent may not have a conversation. The ledger stores the value."""

    DEACTIVATED = "account_deactivated"
    OTHER_WEBSITE = "other_website"
    READS_ONLY = "role_only_reads"


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts about an agent that decide: the account, the role, the websites of their groups."""

    is_active: bool = True
    administers: bool = False
    reads_only: bool = False
    website_ids: frozenset[int] = frozenset()


def bar(standing: Standing, website_id: int) -> Bar | None:
    """Return why an agent may not have a conversation of a website, or ``None`` if they may."""
    if not standing.is_active:
        return Bar.DEACTIVATED
    if standing.reads_only:
        return Bar.READS_ONLY
    if not standing.administers and website_id not in standing.website_ids:
        return Bar.OTHER_WEBSITE
    return None


CONVERSES = """{user}.is_active AND (
    {user}.is_superuser OR {user}.role NOT IN ('auditor', 'reviewer')
)"""
"""The SQL equivalent of ``User.converses``."""

MAY_HAVE = """EXISTS (
    SELECT FROM accounts_agent whose JOIN accounts_user account ON account.id = whose.user_id
    WHERE whose.id = {agent} AND account.is_active AND (
        account.is_superuser OR account.role = 'admin'
        OR account.role NOT IN ('auditor', 'reviewer') AND EXISTS (
            SELECT FROM accounts_group_members member
            JOIN accounts_group team ON team.id = member.group_id
            WHERE member.agent_id = whose.id AND team.website_id = {website}
        )
    )
)"""
"""The SQL equivalent of ``bar``: true if the agent may have the conversation."""
