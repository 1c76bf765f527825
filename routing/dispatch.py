"""The push: waiting conversations reach desks, at every event that adds capacity (B1).

Every push goes through ``serve``. Under the lock of the agent's row, so that their load cannot grow
meanwhile, it takes the conversation that is next for them. Rows are locked in one order, agent then
conversation; every other way onto a desk takes the agent's lock too.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from accounts.models import Agent, AgentChannel, Channel
from conversations.lifecycle import verbs
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation
from core.db.retry import retried
from routing import load, work_queue
from routing.actions import reclaiming
from routing.decisions import AgentView, Need, choose_agent

HEAD = 20
"""How many of the oldest are examined before everything that waits in a group."""
# Plain SQL: each push locks the agent's row first, and composing the statement with the ORM took
# longer (0.4 ms) than running it.
HELD = "SELECT * FROM accounts_agent WHERE id = %s FOR NO KEY UPDATE"
BATCH = 50
"""How many are pushed to one agent in one transaction, which locks their row."""


def drain_waiting(*, channel: str, group_id: int | None, agent_id: int | None) -> None:
    """Reaction: a conversation began to wait; offer it and older ones to able agents."""
    if agent_id is not None:
        if not fill(agent_id, Channel(channel)):
            # It may have been given to somebody who lost the right to it at the same instant.
            reclaiming.reclaim(agent_id=agent_id)
    elif group_id is not None:
        drain_group(group_id, Channel(channel))


def drain_agent(*, agent_id: int) -> None:
    """Reaction: an agent may have room; fill their free slots on every channel."""
    for channel in AgentChannel.objects.filter(agent_id=agent_id).values_list("channel", flat=True):
        fill(agent_id, Channel(channel))


def drain_members(*, group_id: int) -> None:
    """Reaction: a group changed; offer what waits in it on every channel."""
    waiting = Conversation.objects.filter(group_id=group_id, status=Status.QUEUED)
    for channel in waiting.values_list("channel", flat=True).order_by("channel").distinct():
        drain_group(group_id, Channel(channel))


def drain_website(*, website_id: int) -> None:
    """Reaction: something that all groups of a website depend on changed."""
    waiting = Conversation.objects.filter(website_id=website_id, status=Status.QUEUED).order_by()
    for group_id, channel in waiting.values_list("group_id", "channel").distinct():
        drain_group(group_id, Channel(channel))


def drain_all() -> int:
    """Push all that can be pushed and return how many.

    In a healthy system it finds none: the event that made room has drained already.
    """
    pushed = 0
    queued = Conversation.objects.filter(status=Status.QUEUED).order_by()
    for group_id, channel in queued.values_list("group_id", "channel").distinct():
        pushed += drain_group(group_id, Channel(channel))
    assigned = Conversation.objects.filter(status=Status.ASSIGNED).order_by()
    for agent_id, channel in assigned.values_list("agent_id", "channel").distinct():
        pushed += fill(agent_id, Channel(channel))
    return pushed


def drain_group(group_id: int, channel: Channel) -> int:
    """Push what waits in a group, oldest first, each to the able agent with the most free slots."""
    pushed = 0
    passed: set[int] = set()
    while able := _with_a_slot(group_id, channel, passed):
        needs = load.oldest_needs(group_id, channel, limit=HEAD)
        chosen = _choose(able, needs)
        if chosen is None and len(needs) == HEAD:
            # Nobody for any of the oldest; younger ones may require less.
            chosen = _choose(able, load.all_needs(group_id, channel))
        if chosen is None:
            break
        served = _serve(chosen, channel, most=1)
        if not served.count:
            # Another drain was faster, or the rows are locked. Leave this agent out, or it would be
            # chosen again without end.
            passed.add(chosen)
            continue
        pushed += served.count
        # The agent may have got something older that waits elsewhere. If not, that was all: what
        # has begun to wait since then brings a drain of its own.
        if len(needs) == 1 and served.groups == (group_id,):
            break
    return pushed


def _with_a_slot(group_id: int, channel: Channel, passed: set[int]) -> list[AgentView]:
    """Return the agents of a group with a free slot.

    This is asked before what waits: when much waits, mostly nobody is free, and an agent who gets a
    slot after this check brings a drain of their own.
    """
    there = load.takers(group_id, channel, at=timezone.now())
    return [view for view in there if view.free and view.agent_id not in passed]


def _choose(able: list[AgentView], needs: list[Need]) -> int | None:
    """Return the agent for the first of ``needs`` that somebody can meet."""
    # Each need once, in their order: a thousand that wait for the same skill are one question.
    for need in dict.fromkeys(needs):
        chosen = choose_agent(able, need)
        if chosen is not None:
            return chosen
    return None


def fill(agent_id: int, channel: Channel) -> int:
    """Push to one agent until they are full or nothing waits for them."""
    pushed = 0
    is_full = False
    # In batches, because each locks the agent's row until it is committed.
    while not is_full:
        served = _serve(agent_id, channel, most=BATCH)
        pushed += served.count
        is_full = served.is_full
        if not served.count:
            break
    return pushed


def serve(agent_id: int, channel: Channel) -> bool:
    """Push the next conversation to an agent; False if there is none or no free slot."""
    return bool(_serve(agent_id, channel, most=1).count)


@dataclass(frozen=True, slots=True)
class Served:
    """How many conversations an agent got, the groups in whose queues they waited, and whether the
    agent has no free slot left."""

    count: int = 0
    groups: tuple[int | None, ...] = ()
    is_full: bool = False


@retried
def _serve(agent_id: int, channel: Channel, *, most: int) -> Served:
    """Push up to ``most`` conversations to an agent in one transaction.

    Fewer than they could take means that nothing else waits, or that a row is locked at the moment;
    then the caller asks again. What is assigned to them comes first (R88: it is promised), then the
    oldest in the queues of all their groups, whoever else is online (R52, R53, C15, C17, C26).
    """
    if not work_queue.is_any(agent_id, channel, at=timezone.now()):
        return Served()  # What begins to wait after this check brings a drain of its own.
    agent = next(iter(Agent.objects.raw(HELD, [agent_id])), None)
    if agent is None:
        return Served()
    # Read, and the load counted, after the lock, which may have been waited for.
    at = timezone.now()
    taker = load.taker(agent_id, channel, at=at)
    if taker is None or not taker.free:
        return Served(is_full=True)
    chosen = work_queue.next_for(agent_id, channel, at=at, most=min(taker.free, most))
    # Read before the push, which changes the rows in memory.
    groups = tuple(one.group_id for one in chosen if one.status == Status.QUEUED)
    if chosen:
        verbs.push_many(chosen, agent=agent, at=at, slots=taker.slots)
    return Served(len(chosen), groups, is_full=len(chosen) == taker.free)
