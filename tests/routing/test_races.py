"""Races on real PostgreSQL: threads with their own connections, started together on a barrier.

The check itself is tested: a naive variant of the push, without the lock of the agent's row, goes
through the same races and must be caught.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from accounts.models import Agent, Channel
from conversations.lifecycle import actors, deadlines, verbs
from conversations.lifecycle.transitions import Refused, Status
from conversations.messages import sending
from conversations.models import Author, CloseReason, Contact, Conversation, Event
from conversations.tasks import enforce_deadlines
from core.db.retry import retried
from core.events import outbox
from core.models import OutboxEntry
from core.rejection import Rejected
from routing import dispatch, engagement, invariants, load, presence, work_queue
from routing.actions import assignment, by_agent
from routing.models import RuleStep
from tests.factories import (
    AgentFactory,
    RuleFactory,
    StepFactory,
    VisitorFactory,
    connect,
    on_desk,
    queued,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("durable_wires"),
]

THREADS = 16
MINUTE = timedelta(minutes=1)


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Run each job in a thread of its own, started together; an exception ends the test."""
    barrier = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            barrier.wait(60)
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as threads:
        return [done.result(300) for done in [threads.submit(run, job) for job in jobs]]


def findings() -> list[str]:
    return [str(finding) for finding in invariants.findings(at=timezone.now())]


def assert_sound() -> None:
    """Check every invariant, once reactions postponed for a second (a lock not acquired) are
    done."""
    give_up = time.monotonic() + 10
    while OutboxEntry.objects.filter(done_at=None).exists() and time.monotonic() < give_up:
        outbox.deliver_due()
        time.sleep(0.1)
    now = timezone.now()
    assert [str(finding) for finding in invariants.findings(at=now, patience=timedelta(0))] == []


def start(step: RuleStep, *, body: str = "Bonjour") -> Conversation | None:
    """Send a new visitor's first message; return ``None`` if there is no room.

    Sixteen threads of one process share one interpreter lock, so that on a busy machine waiting for
    a row's lock may time out. The Messenger then sends the same again, and so does this.
    """
    visitor, client_id = VisitorFactory(website=step.rule.website), uuid.uuid4()
    for _ in range(5):
        try:
            conversation, _sent = engagement.start(
                visitor,
                body=body,
                client_id=client_id,
                page_url="",
                language="fr",
                at=timezone.now(),
            )
        except Rejected:  # no_room is the only refusal of an entry
            return None
        except OperationalError:
            continue
        return conversation
    raise AssertionError("no answer to five attempts")


@pytest.fixture
def rule_steps() -> list[RuleStep]:
    """100 + 40 places and a live-only group."""
    rule = RuleFactory()
    return [StepFactory(rule=rule, places=places) for places in (100, 40, 0)]


@pytest.fixture
def agents(rule_steps: list[RuleStep]) -> list[Agent]:
    """20 connected agents with 1 to 5 slots, each in one or two of the groups."""
    chance = random.Random(1)
    agents = []
    for n in range(20):
        agent = AgentFactory(slots=1 + n % 5)
        for step in chance.sample(rule_steps, 1 + n % 2):
            step.group.members.add(agent)
        connect(agent, at=timezone.now())
        agents.append(agent)
    return agents


# --- 16 threads, 400 conversations, 20 agents ------------------------------------------------


def test_four_hundred_conversations_break_no_invariant(
    rule_steps: list[RuleStep], agents: list[Agent]
) -> None:
    users = {agent.pk: agent.user for agent in agents}
    accepted: list[int] = []

    def live(seed: int) -> Callable[[], None]:
        chance = random.Random(seed)

        def act() -> None:
            for _ in range(400 // THREADS):
                conversation = start(rule_steps[0])
                if conversation is not None:
                    accepted.append(conversation.pk)
                _disturb(chance, users)

        return act

    together(*(live(seed) for seed in range(THREADS)))
    assert_sound()
    assert len(accepted) == len(set(accepted)) == Conversation.objects.count()
    assert len(accepted) > 140
    held = Counter(Contact.objects.filter(ended_at=None).values_list("agent_id", flat=True))
    slots = {agent.pk: agent.channels.get().slots for agent in agents}
    assert all(held[agent_id] <= slots[agent_id] for agent_id in held)


def _disturb(chance: random.Random, users: dict[int, Any]) -> None:
    """What people and sweeps do meanwhile, anywhere."""
    now = timezone.now()
    somewhere = Conversation.objects.exclude(status=Status.CLOSED).order_by("?")
    picked = somewhere.values_list("pk", "agent_id", "status").first()
    if picked is None:
        return
    number, agent_id, status = picked
    with suppress(Refused, OperationalError):
        match chance.randrange(7):
            case 0 | 1 if status == Status.ACTIVE:
                verbs.finish(number, actor=actors.agent(users[agent_id]), at=now)
            case 2 if status == Status.ACTIVE:
                verbs.release(number, actor=actors.SYSTEM, at=now)
            case 3 if status == Status.ACTIVE:
                verbs.snooze(
                    number,
                    until=now + 60 * MINUTE,
                    keep=chance.random() < 0.5,
                    auto_close=True,
                    actor=actors.agent(users[agent_id]),
                    at=now,
                )
            case 4:
                with suppress(Rejected):
                    sending.add(
                        number, author=Author.VISITOR, body="…", client_id=uuid.uuid4(), at=now
                    )
            case 5:
                dispatch.drain_all()


# --- The control: the same races must catch a missing lock --------------------------------


@retried
def naive_serve(agent_id: int, channel: Channel) -> bool:
    """``dispatch.serve`` as a first draft: count, then push, and lock only the conversation. Two of
    these at once count the same free slot."""
    agent = Agent.objects.get(pk=agent_id)
    at = timezone.now()
    taker = load.taker(agent_id, channel, at=at)
    if taker is None or not taker.free:
        return False
    chosen = work_queue.next_for(agent_id, channel, at=at)
    if not chosen:
        return False
    verbs.push(chosen[0].pk, agent=agent, at=at, slots=taker.slots)
    return True


def push_all(serve: Callable[[int, Channel], bool]) -> list[str]:
    """Run sixteen drains for three agents of four slots, while forty conversations wait."""
    step = StepFactory(places=100)
    agents = [AgentFactory(slots=4) for _ in range(3)]
    step.group.members.set(agents)
    for agent in agents:
        connect(agent, at=timezone.now())
    for _ in range(40):
        queued(step, at=timezone.now())

    def drain() -> None:
        for agent in agents:
            while serve(agent.pk, Channel.CHAT):
                pass

    together(*([drain] * THREADS))
    return [finding for finding in findings() if finding.startswith("slots")]


@pytest.fixture
def quiet() -> Iterator[None]:
    """Disable all reactions: here only the race pushes."""
    from core.events import bus

    owed = {fact: list(reactions) for fact, reactions in bus._durable.items()}
    bus._durable.clear()
    yield
    bus._durable.update(owed)


def test_concurrent_drains_fill_agents_to_their_slots(quiet: None) -> None:
    assert push_all(dispatch.serve) == []
    assert Contact.objects.filter(ended_at=None).count() == 12


def test_the_naive_push_is_caught_by_the_same_check(quiet: None) -> None:
    assert push_all(naive_serve) != []
    assert Contact.objects.filter(ended_at=None).count() > 12


# --- The last place --------------------------------------------------------------------------


@pytest.mark.parametrize("places", [1, 5])
def test_concurrent_entries_never_exceed_the_places(places: int) -> None:
    step = StepFactory(places=places)
    started = together(*([lambda: start(step)] * THREADS))
    assert len([done for done in started if done is not None]) == places
    assert Conversation.objects.count() == places
    assert_sound()


def naive_entry(step: RuleStep) -> bool:
    """``engagement.start`` without the lock of the queue's row: count, then enter."""
    with transaction.atomic():
        now = timezone.now()
        (step_load,) = load.steps_of([step], Channel.CHAT, at=now)
        if not step_load.has_place:
            return False
        conversation = Conversation(
            website=step.rule.website,
            visitor=VisitorFactory(website=step.rule.website),
            language="fr",
        )
        verbs.queue(
            conversation, group_id=step.group_id, queue_id=step.pk, at=now, places=step.places
        )
    return True


def test_the_naive_entry_is_caught_by_the_same_check() -> None:
    step = StepFactory(places=2)
    together(*([lambda: naive_entry(step)] * THREADS))
    assert [finding for finding in findings() if finding.startswith("places")] != []


def test_concurrent_live_entries_never_exceed_the_free_slots() -> None:
    """Many websites share their agents, so that only the agents' locks keep the entries apart. They
    are taken in one order, or entries would deadlock."""
    steps = [StepFactory(places=0) for _ in range(THREADS)]
    agents = [AgentFactory(slots=2) for _ in range(3)]
    for step in steps:
        step.group.members.set(agents)
    for agent in agents:
        connect(agent, at=timezone.now())
    started = together(
        *[lambda step=step: start(step) for step in steps]  # type: ignore[misc]
    )
    assert len([done for done in started if done is not None]) == 6
    assert Contact.objects.filter(ended_at=None).count() == 6
    assert_sound()


def test_a_drain_waits_for_a_locked_conversation(
    alone: tuple[RuleStep, Agent], quiet: None
) -> None:
    """A drain that finds the conversation locked by a message must not skip it for good."""
    step, agent = alone
    connect(agent, at=timezone.now())
    number = queued(step, at=timezone.now()).pk
    held = threading.Event()

    def hold() -> None:
        with transaction.atomic():
            verbs.lock(number)
            held.set()
            time.sleep(0.5)

    def drain() -> int:
        held.wait(10)
        return dispatch.fill(agent.pk, Channel.CHAT)

    assert together(hold, drain) == [None, 1]


def test_concurrent_first_messages_start_one_conversation() -> None:
    step = StepFactory(places=10)
    visitor = VisitorFactory(website=step.rule.website)

    def first_message() -> int:
        conversation, _ = engagement.start(
            visitor,
            body="Bonjour",
            client_id=uuid.uuid4(),
            page_url="",
            language="fr",
            at=timezone.now(),
        )
        return conversation.pk

    assert len(set(together(*([first_message] * THREADS)))) == 1
    assert list(Conversation.objects.values_list("last_seq", flat=True)) == [THREADS]
    assert_sound()


# --- One against the other -------------------------------------------------------------------


def refused(job: Callable[[], Any]) -> Callable[[], bool]:
    """Wrap the job to return whether it was refused."""

    def run() -> bool:
        try:
            job()
        except Refused:
            return True
        return False

    return run


@pytest.fixture
def alone() -> tuple[RuleStep, Agent]:
    """One queue and its agent, who is not connected."""
    step, agent = StepFactory(places=10), AgentFactory(slots=5)
    step.group.members.add(agent)
    return step, agent


def test_only_one_of_wake_and_close_succeeds(alone: tuple[RuleStep, Agent]) -> None:
    step, agent = alone
    actor = actors.agent(agent.user)
    for _round in range(10):
        now = timezone.now()
        number = on_desk(step, agent, at=now).pk
        verbs.snooze(number, until=now + MINUTE, keep=False, auto_close=True, actor=actor, at=now)
        lost = together(
            refused(lambda n=number: verbs.wake(n, actor=actor, at=timezone.now())),
            refused(
                lambda n=number: verbs.close(
                    n, reason=CloseReason.RESOLVED, actor=actor, at=timezone.now()
                )
            ),
        )
        assert sorted(lost) == [False, True]
    assert_sound()


def test_release_during_reconnection_leaves_one_holder_at_most(
    alone: tuple[RuleStep, Agent],
) -> None:
    step, agent = alone
    for _round in range(10):
        number = on_desk(step, agent, at=timezone.now()).pk
        presence.log_out(agent.pk, at=timezone.now())
        connection_id = uuid.uuid4()
        together(
            refused(lambda n=number: assignment.release(n, actor=actors.SYSTEM, at=timezone.now())),
            lambda c=connection_id: presence.connect(agent.pk, c, at=timezone.now()),
        )
        assert_sound()
        conversation = Conversation.objects.get(pk=number)
        if conversation.status == Status.ACTIVE:
            verbs.finish(number, actor=actors.agent(agent.user), at=timezone.now())
        else:
            verbs.push(number, agent=agent, at=timezone.now())
            verbs.finish(number, actor=actors.agent(agent.user), at=timezone.now())


def test_nothing_is_pushed_to_an_agent_after_becoming_unavailable(
    alone: tuple[RuleStep, Agent],
) -> None:
    step, agent = alone
    connect(agent, at=timezone.now())
    for _round in range(5):
        presence.set_available(agent.pk, Channel.CHAT, True, at=timezone.now())
        for _ in range(3):
            queued(step, at=timezone.now())

        def leave() -> int:
            presence.set_available(agent.pk, Channel.CHAT, False, at=timezone.now())
            return Contact.objects.filter(ended_at=None).count()

        *_, on_my_desk = together(*([lambda: dispatch.fill(agent.pk, Channel.CHAT)] * 4), leave)
        assert Contact.objects.filter(ended_at=None).count() == on_my_desk
        for number in Conversation.objects.exclude(status=Status.CLOSED).values_list(
            "pk", flat=True
        ):
            with suppress(Refused):
                verbs.finish(number, actor=actors.agent(agent.user), at=timezone.now())
    assert [finding for finding in findings() if not finding.startswith("outbox")] == []


def test_concurrently_enforced_deadlines_fire_once_each(
    alone: tuple[RuleStep, Agent],
) -> None:
    step, agent = alone
    actor = actors.agent(agent.user)
    past = timezone.now() - 2 * MINUTE
    for n in range(24):
        conversation = on_desk(step, agent, at=past)
        verbs.snooze(
            conversation.pk,
            until=past + MINUTE,
            keep=n % 2 == 0,
            auto_close=n % 3 == 0,
            actor=actor,
            at=past,
        )
    moved = together(*([enforce_deadlines] * 4))
    assert sum(moved) == 24
    fired = Event.objects.filter(actor_kind="system").exclude(verb="push")
    assert Counter(fired.values_list("conversation_id", flat=True)).most_common(1)[0][1] == 1
    assert fired.count() == 24
    assert deadlines.past(deadlines.database_now()) == []
    assert_sound()


def test_concurrent_sweeps_run_each_due_reaction_once(alone: tuple[RuleStep, Agent]) -> None:
    step, _agent = alone
    for _ in range(5):
        queued(step, at=timezone.now())
    OutboxEntry.objects.update(done_at=None, attempts=0)
    done = together(*([outbox.deliver_due] * 8))
    assert sum(done) == 5
    assert set(OutboxEntry.objects.values_list("attempts", flat=True)) == {1}


def test_close_waiting_for_a_visitor_message_is_refused(
    alone: tuple[RuleStep, Agent],
) -> None:
    """C81: the message has the row's lock; the click comes while it is being stored."""
    step, agent = alone
    number = on_desk(step, agent, at=timezone.now()).pk
    seen = Conversation.objects.get(pk=number).last_seq
    written = threading.Event()

    def write() -> None:
        with transaction.atomic():
            _say(number, "Wait!")
            written.set()
            time.sleep(0.3)  # the other one reaches the lock

    def close() -> str:
        written.wait(60)
        try:
            by_agent.finish(number, user=agent.user, at=timezone.now(), seen=seen)
        except Refused as error:
            return error.why
        return "closed"

    assert together(write, close) == [None, verbs.UNSEEN]
    assert Conversation.objects.get(pk=number).status == Status.ACTIVE
    by_agent.finish(number, user=agent.user, at=timezone.now(), seen=seen + 1)
    assert Conversation.objects.get(pk=number).status == Status.CLOSED


def test_no_conversation_closes_over_an_unseen_message(
    alone: tuple[RuleStep, Agent],
) -> None:
    step, agent = alone
    ends = Counter[str]()
    for _ in range(25):
        number = on_desk(step, agent, at=timezone.now()).pk
        seen = Conversation.objects.get(pk=number).last_seq

        def write(number: int = number) -> bool:
            try:
                _say(number, "Wait!")
            except Rejected:
                return False
            return True

        def close(number: int = number, seen: int = seen) -> bool:
            try:
                by_agent.finish(number, user=agent.user, at=timezone.now(), seen=seen)
            except Refused:
                return False
            return True

        is_stored, is_closed = together(write, close)
        # either the message is stored, or its visitor learns that the conversation is closed
        assert is_stored != is_closed
        ends["closed" if is_closed else "refused"] += 1
        if not is_closed:
            by_agent.finish(number, user=agent.user, at=timezone.now())
    assert ends.total() == 25
    assert_sound()


def _say(number: int, body: str) -> None:
    sending.add(number, author=Author.VISITOR, body=body, client_id=uuid.uuid4(), at=timezone.now())
