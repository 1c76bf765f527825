"""The channels of calls: visitors who come for a call wait there, and agents in a call are full."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from accounts.models import Channel
from conversations.models import Call

FOR_CALLS = frozenset({Channel.CALL, Channel.VIDEO})

# Plain SQL, for the statements that each push runs: whether an agent is in a call, on a channel of
# calls. Elsewhere they can take conversations during a call.
IN_CALL = """({channel} IN ('call', 'video') AND EXISTS (
        SELECT FROM conversations_call ongoing
        WHERE ongoing.agent_id = {agent} AND ongoing.ended_at IS NULL
    ))"""


def in_call(agent: str) -> Exists:
    """Return whether the agent named by a column is in a call, or one rings."""
    return Exists(Call.objects.filter(agent=OuterRef(agent), ended_at=None))
