"""Waiting conversations, read as the cases that ``reasons`` explains, in a constant number of
statements.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta, tzinfo

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from redis.exceptions import RedisError

from accounts.models import Agent, Channel, Group, Skill
from conversations.lifecycle.transitions import WAITING, Status
from conversations.models import Conversation
from routing import invariants, load
from routing.decisions import AgentView, BlockReason, Need, obstacles
from routing.waits.cases import AgentCase, Case, Fill
from routing.waits.reasons import BLINK, Explanation, explain

logger = logging.getLogger(__name__)

REMEMBERED = timedelta(minutes=2)
MEMBERS = Group.members.through.objects.order_by()

# The rank of each in the line of its group, or of its agent, on its channel: the order in which
# routing.dispatch takes them. Plain SQL: the ORM would filter the wanted ones before it ranks them.
RANKS = """
    SELECT id, rank FROM (
        SELECT id, row_number() OVER (
            PARTITION BY status, channel,
                CASE status WHEN 'queued' THEN group_id ELSE agent_id END
            ORDER BY queued_at, id
        ) AS rank
        FROM conversations_conversation
        WHERE (status = 'queued' AND group_id = ANY(%(groups)s))
           OR (status = 'assigned' AND agent_id = ANY(%(agents)s))
    ) line WHERE id = ANY(%(wanted)s)
"""


def explained(
    conversations: QuerySet[Conversation], *, at: datetime, zone: tzinfo
) -> list[Explanation]:
    """Explain why each of these waits, the longest first; skip those that do not wait."""
    return [explain(case) for case in cases(conversations, at=at, zone=zone)]


def cases(conversations: QuerySet[Conversation], *, at: datetime, zone: tzinfo) -> list[Case]:
    """Return the cases of the conversations that wait. Nothing is locked."""
    rows = list(
        conversations.filter(status__in=WAITING)
        .select_related("group__website", "queue__rule")
        .order_by("queued_at", "pk")
    )
    if not rows:
        return []
    people, ranks, fills = _Agents(rows, at=at), _ranks(rows), _fills(rows)
    asked = {skill for row in rows for skill in row.binding_skills}
    skills = dict(Skill.objects.filter(pk__in=asked).values_list("pk", "name"))
    free_since = beside_free_agents(at=at)
    waiting = []
    for row in rows:
        need = load.need_of(row, row.group, at=at)
        waiting.append(
            Case(
                number=row.pk,
                at=at,
                zone=zone,
                need=need,
                channel=row.get_channel_display(),
                group=row.group.name if row.group else "",
                fill=fills[_queue_of(row.queue_id, row.group_id)],
                rank=ranks.get(row.pk, 1),
                waits_since=row.queued_at or row.moved_at,
                is_return=row.is_return,
                people=tuple(people.who_matter(row, need)),
                skills=skills,
                deadline_at=row.deadline_at,
                free_since=free_since.get(row.pk),
            )
        )
    return waiting


def beside_free_agents(*, at: datetime) -> dict[int, datetime]:
    """Return what waits though somebody could take it now, and since when that has been seen.

    One query cannot tell a fault from a push that is under way, so each query leaves a key that
    expires. While the cache is away, nothing counts as a fault.
    """
    lost = {
        finding.conversation_id
        for finding in invariants.lost_capacity(at=at, patience=timedelta())
        if finding.conversation_id is not None
    }
    keys = {f"free-beside:{pk}": pk for pk in lost}
    try:
        seen = cache.get_many(keys) if keys else {}
        if new := {key: at for key in keys if key not in seen}:
            # Only the new ones: a key that is written again would look as if it had just been seen.
            cache.set_many(new, int(REMEMBERED.total_seconds()))
    except RedisError:
        logger.warning("cannot read how long agents have been free", exc_info=True)
        seen = {}
    return {pk: seen.get(key, at) for key, pk in keys.items()}


def faults(conversations: QuerySet[Conversation], *, at: datetime) -> tuple[list[int], bool]:
    """Return those that wait beside a free agent for too long (R98), and whether to check again.

    Check again soon if others wait beside one, but not for too long yet.
    """
    beside = beside_free_agents(at=at)
    mine = (
        set(conversations.filter(pk__in=beside).values_list("pk", flat=True)) if beside else set()
    )
    late = sorted(pk for pk in mine if at - beside[pk] >= BLINK)
    return late, len(late) < len(mine)


class _Agents:
    """All agents who could matter, as seen on each channel, read once."""

    def __init__(self, rows: Collection[Conversation], *, at: datetime) -> None:
        websites = {row.website_id for row in rows}
        holders = {row.agent_id for row in rows if row.agent_id is not None}
        here = MEMBERS.filter(agent_id=OuterRef("pk"), group__website__in=websites)
        agents = Agent.objects.filter(Exists(here) | Q(pk__in=holders))
        names = dict(agents.values_list("pk", "display_name"))
        self._people = {
            channel: {
                view.agent_id: AgentCase(names.get(view.agent_id, ""), view)
                for view in load.views(agents, Channel(channel), at=at)
            }
            for channel in {row.channel for row in rows}
        }
        self._website_of = dict(
            Group.objects.filter(website__in=websites).values_list("pk", "website_id")
        )

    def who_matter(self, row: Conversation, need: Need) -> Iterator[AgentCase]:
        """Yield whom an explanation names: the agent it is assigned to; otherwise the members, and
        agents of the website who lack only membership.
        """
        people = self._people[row.channel]
        if need.agent_id is not None:
            if need.agent_id in people:
                yield people[need.agent_id]
            return
        for agent in people.values():
            if need.group_id in agent.view.group_ids:
                yield agent
            elif self._is_of(row.website_id, agent.view):
                stops = obstacles(agent.view, need)
                if [one.kind for one in stops] == [BlockReason.NOT_A_MEMBER]:
                    yield agent

    def _is_of(self, website_id: int, view: AgentView) -> bool:
        return any(self._website_of.get(group) == website_id for group in view.group_ids)


def _ranks(rows: Iterable[Conversation]) -> dict[int, int]:
    rows = list(rows)
    with connection.cursor() as cursor:
        cursor.execute(
            RANKS,
            {
                "groups": [row.group_id for row in rows if row.status == Status.QUEUED],
                "agents": [row.agent_id for row in rows if row.status == Status.ASSIGNED],
                "wanted": [row.pk for row in rows],
            },
        )
        return dict(cursor.fetchall())


_Queue = tuple[int | None, int | None]


def _queue_of(queue_id: int | None, group_id: int | None) -> _Queue:
    """Return what a conversation takes a place of: its queue or, without one, its group."""
    return (queue_id, None) if queue_id is not None else (None, group_id)


def _fills(rows: Iterable[Conversation]) -> dict[_Queue, Fill]:
    one_of_each = {_queue_of(row.queue_id, row.group_id): row for row in rows}
    waiting: Counter[_Queue] = Counter()
    returned: Counter[_Queue] = Counter()
    counted = (
        Conversation.objects.filter(status__in=WAITING)
        .filter(
            Q(queue__in=[queue for queue, _group in one_of_each if queue is not None])
            | Q(queue=None, group__in=[group for _queue, group in one_of_each if group is not None])
        )
        .values_list("queue_id", "group_id")
        .annotate(n=Count("pk"), back=Count("pk", filter=Q(is_return=True)))
        .order_by()
    )
    for queue_id, group_id, n, back in counted:
        line = _queue_of(queue_id, group_id)
        waiting[line] += n
        returned[line] += back
    return {
        line: Fill(
            rule=row.queue.rule.name if row.queue else "",
            group=row.group.name if row.group else "",
            places=row.queue.places if row.queue else None,
            waiting=waiting[line],
            returned=returned[line],
        )
        for line, row in one_of_each.items()
    }
