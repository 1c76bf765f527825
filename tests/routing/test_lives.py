"""Random lives of conversations, agents and time, on real PostgreSQL with real commits.

After each step the invariants of docs/lifecycle.md are checked in the database, and that no
capacity is lost: nothing waits that a reachable agent with a free slot could take, although no
sweep ever ran. ``LIVES=500 pytest tests/routing/test_lives.py`` runs longer, and differently each
time.
"""

from __future__ import annotations

import os
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import time, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Agent, AgentChannel, Channel, Group, Holiday, OpeningHours
from conversations.lifecycle import actors, deadlines, verbs
from conversations.lifecycle.transitions import TRANSITIONS, Refused, Status, Verb
from conversations.messages import sending
from conversations.models import Author, CloseReason, Conversation, Message
from core.events import bus, outbox
from core.rejection import Rejected
from routing import changes, engagement, invariants, opening, presence, snapshots
from routing.actions import assignment, by_agent, escalation
from routing.models import DistributionRule, RuleStep, TargetingRule
from routing.targeting import PageView
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    BotFactory,
    RuleFactory,
    SkillFactory,
    StepFactory,
    VisitorFactory,
)

LIVES = int(os.environ.get("LIVES", "8"))
PROFILE = settings(
    max_examples=LIVES,
    stateful_step_count=40,
    deadline=None,
    derandomize="LIVES" not in os.environ,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

NTH = st.integers(0, 30)  # the index of an existing object, wrapped around
TABLES = (
    "accounts_website",
    "accounts_user",
    "conversations_outboxentry",
)
NOTHING = timedelta(0)
STYLES = ["live", "live_with_return", "social"]
TWO = st.frozensets(st.integers(0, 1))
HOURS = st.sampled_from([None, None, (8, 12), (11, 18), (22, 6)])  # it begins at 10:00 in Paris


class Lives(RuleBasedStateMachine):
    """One website, three queues, three agents; visitors come, talk, leave and return."""

    def __init__(self) -> None:
        super().__init__()
        self.travel = time_machine.travel(NOW, tick=False)
        self.clock = self.travel.start()
        with connection.cursor() as cursor:
            # The triggers of the records do not fire for a replica.
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
            cursor.execute("SET session_replication_role = origin")
        self.desks: dict[int, uuid.UUID] = {}
        self.sent: dict[int, set[uuid.UUID]] = defaultdict(set)

    def teardown(self) -> None:
        self.travel.stop()

    @initialize(
        mode=st.sampled_from(["cascade", "equal_share"]),
        style=st.sampled_from(STYLES),
        places=st.lists(st.integers(0, 3), min_size=3, max_size=3),
        answer_seconds=st.sampled_from([None, 120]),
        release_minutes=st.sampled_from([None, 5]),
        there=st.integers(0, 3),
        relax=st.sampled_from([None, 300]),
        has_bot=st.sampled_from([False, False, True]),
    )
    def world(
        self,
        mode: str,
        style: str,
        places: list[int],
        answer_seconds: int | None,
        release_minutes: int | None,
        there: int,
        relax: int | None,
        has_bot: bool,
    ) -> None:
        self.rule = RuleFactory(
            mode=mode,
            style=style,
            solved_window=None if style == "live" else timedelta(hours=5),
            skill_relax_seconds=relax,
        )
        if has_bot:
            self.rule.bot = BotFactory(website=self.rule.website)
            self.rule.save()
        self.skills = [SkillFactory(website=self.rule.website) for _ in range(2)]
        self.steps = [
            StepFactory(rule=self.rule, position=n, places=room) for n, room in enumerate(places)
        ]
        group = self.steps[0].group
        group.answer_seconds, group.release_minutes = answer_seconds, release_minutes
        group.save()
        self.agents = [AgentFactory(slots=2), AgentFactory(slots=1), AgentFactory(slots=1)]
        for n, agent in enumerate(self.agents):
            self.steps[n].group.members.add(agent)
        self.steps[1].group.members.add(self.agents[0])
        for nth in range(there):
            self.connect(nth)

    # --- who and what ---

    @property
    def now(self) -> object:
        return timezone.now()

    def agent(self, nth: int) -> Agent:
        return self.agents[nth % len(self.agents)]

    def step(self, nth: int) -> RuleStep:
        return self.steps[nth % len(self.steps)]

    def conversation(self, nth: int, *statuses: Status) -> Conversation | None:
        some = Conversation.objects.order_by("pk")
        if statuses:
            some = some.filter(status__in=statuses)
        conversations = list(some)
        return conversations[nth % len(conversations)] if conversations else None

    def try_verb(
        self, verb: Verb, conversation: Conversation | None, act: Callable[[Conversation], object]
    ) -> None:
        """Try the verb in any state: it is refused if, and only if, the table says so."""
        if conversation is None:
            return
        before = Status(conversation.status)
        try:
            act(conversation)
        except Refused:
            assert before not in TRANSITIONS[verb].sources, f"{verb} refused from {before}"
            return
        assert before in TRANSITIONS[verb].sources, f"{verb} done from {before}"

    # --- visitors ---

    @rule(visitors=st.integers(1, 3))
    def visitors_arrive(self, visitors: int) -> None:
        for _ in range(visitors):
            self.open()

    def open(self) -> None:
        visitor = VisitorFactory(website=self.rule.website)
        snapshot = snapshots.take(self.rule.website.key, at=timezone.now())
        assert snapshot is not None
        offer = snapshot.answer(PageView(), at=timezone.now())
        client_id = uuid.uuid4()
        try:
            conversation, sent = engagement.start(
                visitor,
                body="Bonjour",
                client_id=client_id,
                page_url="",
                language="fr",
                at=timezone.now(),
            )
        except Rejected:
            assert not offer.may_engage
            return
        assert offer.may_engage
        assert sent.frame["seq"] == 1
        self.sent[conversation.pk].add(client_id)

    @rule(nth=NTH, times=st.integers(1, 3))
    def visitor_says(self, nth: int, times: int) -> None:
        conversation = self.conversation(nth)
        if conversation is None:
            return
        client_id = uuid.uuid4()
        for _ in range(times):
            try:
                sending.add(
                    conversation.pk,
                    author=Author.VISITOR,
                    body="…",
                    client_id=client_id,
                    at=timezone.now(),
                )
            except Rejected:
                assert conversation.status == Status.CLOSED
                return
            self.sent[conversation.pk].add(client_id)

    @rule(nth=NTH)
    def bot_says(self, nth: int) -> None:
        conversation = self.conversation(nth, Status.BOT)
        if conversation is not None:
            client_id = uuid.uuid4()
            sending.add(
                conversation.pk,
                author=Author.BOT,
                body="…",
                client_id=client_id,
                at=timezone.now(),
            )
            self.sent[conversation.pk].add(client_id)

    @rule(nth=NTH, skills=st.one_of(st.none(), TWO))
    def escalate(self, nth: int, skills: frozenset[int] | None) -> None:
        self.try_verb(
            Verb.ESCALATE,
            self.conversation(nth, Status.BOT, Status.BOT, Status.QUEUED),
            lambda c: escalation.escalate(
                c.pk,
                at=timezone.now(),
                skills=None if skills is None else [self.skills[n].pk for n in skills],
            ),
        )

    # --- agents, on what they hold ---

    @rule(nth=NTH)
    def agent_says(self, nth: int) -> None:
        conversation = self.conversation(nth, Status.ACTIVE)
        if conversation is None:
            return
        client_id = uuid.uuid4()
        sending.add(
            conversation.pk,
            author=Author.AGENT,
            body="…",
            client_id=client_id,
            at=timezone.now(),
        )
        self.sent[conversation.pk].add(client_id)

    @rule(
        nth=NTH,
        keep=st.booleans(),
        auto_close=st.booleans(),
        minutes=st.sampled_from([1, 20, 180, 1440]),
    )
    def snooze(self, nth: int, keep: bool, auto_close: bool, minutes: int) -> None:
        conversation = self.conversation(nth, Status.ACTIVE, Status.SNOOZED, Status.QUEUED)
        if conversation is not None and not conversation.may_snooze:
            return
        self.try_verb(
            Verb.SNOOZE,
            conversation,
            lambda c: verbs.snooze(
                c.pk,
                until=timezone.now() + timedelta(minutes=minutes),
                keep=keep,
                auto_close=auto_close,
                actor=actors.SYSTEM,
                at=timezone.now(),
            ),
        )

    @rule(nth=NTH, who=NTH)
    def wake(self, nth: int, who: int) -> None:
        conversation = self.conversation(nth, Status.SNOOZED)
        if conversation is not None:
            with suppress(Refused):
                by_agent.wake(conversation.pk, user=self.agent(who).user, at=timezone.now())

    @rule(nth=NTH, verb=st.sampled_from([Verb.SET_PENDING, Verb.SET_ON_HOLD, Verb.SOLVE]))
    def set_aside(self, nth: int, verb: Verb) -> None:
        act = {
            Verb.SET_PENDING: verbs.set_pending,
            Verb.SET_ON_HOLD: verbs.set_on_hold,
            Verb.SOLVE: verbs.solve,
        }[verb]
        self.try_verb(
            verb,
            self.conversation(nth, Status.ACTIVE, Status.PENDING, Status.ASSIGNED),
            lambda c: act(c.pk, actor=actors.SYSTEM, at=timezone.now()),
        )

    @rule(nth=NTH)
    def resume(self, nth: int) -> None:
        conversation = self.conversation(nth, Status.PENDING, Status.ON_HOLD, Status.SOLVED)
        if conversation is not None and conversation.agent is not None:
            by_agent.resume(conversation.pk, user=conversation.agent.user, at=timezone.now())

    @rule(nth=NTH)
    def finish(self, nth: int) -> None:
        conversation = self.conversation(nth, Status.ACTIVE)
        if conversation is not None and conversation.agent is not None:
            by_agent.finish(conversation.pk, user=conversation.agent.user, at=timezone.now())

    @rule(nth=NTH)
    def block(self, nth: int) -> None:
        conversation = self.conversation(nth, Status.ACTIVE)
        if conversation is not None and conversation.agent is not None:
            by_agent.block(
                conversation.pk,
                user=conversation.agent.user,
                reason="…",
                until=None,
                at=timezone.now(),
            )

    @rule(nth=NTH)
    def close(self, nth: int) -> None:
        self.try_verb(
            Verb.CLOSE,
            self.conversation(nth),
            lambda c: verbs.close(
                c.pk,
                reason=CloseReason.RESOLVED,
                actor=actors.agent(self.agents[0].user),
                at=timezone.now(),
            ),
        )

    @rule(nth=NTH, to=NTH)
    def transfer_to_agent(self, nth: int, to: int) -> None:
        conversation, agent = self.conversation(nth), self.agent(to)
        if conversation is None or conversation.agent_id == agent.pk:
            return
        self.try_verb(
            Verb.TRANSFER_TO_AGENT,
            conversation,
            lambda c: verbs.transfer_to_agent(
                c.pk, agent=agent, actor=actors.SYSTEM, at=timezone.now()
            ),
        )

    @rule(nth=NTH, to=NTH)
    def transfer_to_group(self, nth: int, to: int) -> None:
        self.try_verb(
            Verb.TRANSFER_TO_GROUP,
            self.conversation(nth),
            lambda c: assignment.transfer_to_group(
                c.pk, group=self.step(to).group, actor=actors.SYSTEM, at=timezone.now()
            ),
        )

    @rule(nth=NTH)
    def release(self, nth: int) -> None:
        conversation = self.conversation(nth, Status.ACTIVE, Status.ASSIGNED)
        if conversation is None:
            return
        assert conversation.agent_id is not None
        sits = presence.is_connected(conversation.agent_id, timezone.now())
        try:
            assignment.release(conversation.pk, actor=actors.SYSTEM, at=timezone.now())
        except Refused:
            assert sits
            assert conversation.status == Status.ACTIVE
            return
        assert not sits or conversation.status == Status.ASSIGNED

    @rule(nth=NTH)
    def take(self, nth: int) -> None:
        conversation = self.conversation(nth, Status.ASSIGNED)
        if conversation is not None and conversation.agent is not None:
            assignment.take(conversation.pk, user=conversation.agent.user, at=timezone.now())

    # --- agents, coming and going ---

    @rule(nth=NTH)
    def connect(self, nth: int) -> None:
        agent = self.agent(nth)
        if agent.pk not in self.desks:
            self.desks[agent.pk] = uuid.uuid4()
            presence.connect(agent.pk, self.desks[agent.pk], at=timezone.now())

    @precondition(lambda self: self.desks)
    @rule(nth=NTH)
    def cut(self, nth: int) -> None:
        """The desk's network connection is cut, without notice."""
        self.desks.pop(sorted(self.desks)[nth % len(self.desks)])

    @precondition(lambda self: self.desks)
    @rule(nth=NTH)
    def leave(self, nth: int) -> None:
        presence.disconnect(
            self.desks.pop(sorted(self.desks)[nth % len(self.desks)]), at=timezone.now()
        )

    @rule(nth=NTH)
    def log_out(self, nth: int) -> None:
        self.desks.pop(self.agent(nth).pk, None)
        presence.log_out(self.agent(nth).pk, at=timezone.now())

    @rule(nth=NTH, available=st.booleans())
    def say_available(self, nth: int, available: bool) -> None:
        presence.set_available(self.agent(nth).pk, Channel.CHAT, available, at=timezone.now())

    # --- administrators ---

    @rule(nth=NTH, skills=TWO)
    def change_skills(self, nth: int, skills: frozenset[int]) -> None:
        agent = self.agent(nth)
        with transaction.atomic():
            agent.skills.set([self.skills[n] for n in skills])
            changes.agent_changed(agent.pk)

    @rule(skills=TWO)
    def change_what_pages_require(self, skills: frozenset[int]) -> None:
        TargetingRule.objects.get().skills.set([self.skills[n] for n in skills])

    @rule(nth=NTH)
    def abolish_a_skill(self, nth: int) -> None:
        with transaction.atomic():
            gone = self.skills[nth % 2].pk
            self.skills[nth % 2].delete()
            changes.skill_changed(gone)
        self.skills[nth % 2] = SkillFactory(website=self.rule.website)

    @rule(nth=NTH, hours=HOURS, keeps_places=st.booleans())
    def change_hours(self, nth: int, hours: tuple[int, int] | None, keeps_places: bool) -> None:
        group = self.step(nth).group
        with transaction.atomic():
            group.opening_hours.all().delete()
            for weekday in range(7) if hours else ():
                OpeningHours.objects.create(
                    group=group, weekday=weekday, opens=time(hours[0]), closes=time(hours[1])
                )
            Group.objects.filter(pk=group.pk).update(keeps_places_when_closed=keeps_places)
            changes.group_changed(group.pk)

    @rule(nth=NTH, is_off=st.booleans())
    def change_holidays(self, nth: int, is_off: bool) -> None:
        website = self.rule.website
        today = timezone.now().astimezone(website.zone).date()
        with transaction.atomic():
            website.holidays.all().delete()
            if is_off:
                Holiday.objects.create(
                    website=website, date=today + timedelta(days=nth % 2), name="Férié"
                )
            changes.website_changed(website.pk)

    @rule(nth=NTH, slots=st.integers(0, 3))
    def change_slots(self, nth: int, slots: int) -> None:
        agent = self.agent(nth)
        with transaction.atomic():
            AgentChannel.objects.filter(agent=agent).update(slots=slots)
            changes.agent_changed(agent.pk)

    @rule(nth=NTH, places=st.integers(0, 4))
    def change_places(self, nth: int, places: int) -> None:
        with transaction.atomic():
            RuleStep.objects.filter(pk=self.step(nth).pk).update(places=places)
            changes.rule_changed(self.rule.website_id)

    @rule(
        mode=st.sampled_from(["cascade", "equal_share"]),
        style=st.sampled_from(STYLES),
        relax=st.sampled_from([None, 60, 300]),
        is_enabled=st.sampled_from([True, True, True, False]),
    )
    def change_rule(self, mode: str, style: str, relax: int | None, is_enabled: bool) -> None:
        """Waiting conversations keep the style and the patience with which they came."""
        with transaction.atomic():
            DistributionRule.objects.filter(pk=self.rule.pk).update(
                mode=mode,
                style=style,
                solved_window=None if style == "live" else timedelta(hours=5),
                skill_relax_seconds=relax,
                is_enabled=is_enabled,
            )
            changes.rule_changed(self.rule.website_id)

    @rule(first=NTH, second=NTH)
    def change_order(self, first: int, second: int) -> None:
        one, other = self.step(first), self.step(second)
        with transaction.atomic():
            RuleStep.objects.filter(pk=one.pk).update(position=second % 3)
            RuleStep.objects.filter(pk=other.pk).update(position=first % 3)
            changes.rule_changed(self.rule.website_id)

    @rule(nth=NTH, who=NTH, member=st.booleans())
    def change_members(self, nth: int, who: int, member: bool) -> None:
        group = self.step(nth).group
        with transaction.atomic():
            if member:
                group.members.add(self.agent(who))
            else:
                group.members.remove(self.agent(who))
            changes.group_changed(group.pk)

    # --- time, and the machinery ---

    @rule(minutes=st.sampled_from([1, 3, 10, 60, 24 * 60 + 1]), ticks=st.integers(1, 2))
    def time_passes(self, minutes: int, ticks: int) -> None:
        """Desks that are still there are heard; then beat ticks, perhaps twice."""
        self.clock.shift(timedelta(minutes=minutes))
        for desk in self.desks.values():
            presence.record_heartbeat(desk, at=timezone.now())
        for _ in range(ticks):
            presence.notice_losses(at=timezone.now())
            opening.open_and_close(at=timezone.now())
            for number in deadlines.past(timezone.now()):
                deadlines.enforce(number, at=timezone.now())
            assignment.release_stranded(at=timezone.now())
            assert deadlines.past(timezone.now() - timedelta(seconds=1)) == []

    @rule()
    def sweep_the_outbox(self) -> None:
        assert outbox.deliver_due() == 0  # every reaction ran at once after its commit

    # --- what must hold ---

    @invariant()
    def everything_holds(self) -> None:
        findings = invariants.findings(at=timezone.now(), patience=NOTHING)
        assert [str(finding) for finding in findings] == []

    @invariant()
    def what_was_accepted_is_stored_once(self) -> None:
        stored: dict[int, list[uuid.UUID]] = defaultdict(list)
        spoken = Message.objects.exclude(author=Author.SYSTEM)
        for number, client_id in spoken.values_list("conversation_id", "client_id"):
            stored[number].append(client_id)
        assert {number: sorted(ids) for number, ids in stored.items()} == {
            number: sorted(ids) for number, ids in self.sent.items()
        }
        assert set(Conversation.objects.values_list("pk", flat=True)) == set(self.sent)


@pytest.fixture
def prompt_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reactions that are left to workers also run at once after the commit."""

    def work(entries: list[int]) -> None:
        for entry in entries:
            outbox.deliver(entry)

    monkeypatch.setattr(bus, "wake_worker", work)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("durable_wires", "prompt_workers")
def test_random_lives_break_no_invariant() -> None:
    run_state_machine_as_test(Lives, settings=PROFILE)
