"""Random histories for the reports: conversations around midnight and a clock change."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from random import Random

from django.db.models import F
from hypothesis import strategies as st

from accounts.models import (
    Agent,
    AgentChannel,
    Channel,
    Group,
    OpeningHours,
    Role,
    Website,
)
from conversations import surveys
from conversations.knowledge import uses
from conversations.lifecycle import actors, deadlines, verbs
from conversations.lifecycle.transitions import Refused, Status
from conversations.messages import sending
from conversations.models import Author, Call, CloseReason, Conversation, Style
from core.rejection import Rejected
from reporting.models import Origin
from reporting.sales import recording
from reporting.sales.recording import Purchase
from routing import presence
from routing.models import HourlyDemand, RuleStep
from tests.factories import (
    AgentFactory,
    ArticleFactory,
    StepFactory,
    WebsiteFactory,
    queued,
    with_bot,
)

QUARTER = timedelta(minutes=15)
START = datetime(2035, 3, 24, 18, tzinfo=UTC)
"""In Paris the evening before the clocks go forward."""

# What is likely to happen to a conversation in each state; any of it may be refused.
LIKELY = {
    Status.BOT: ("speak", "bot_speaks", "escalate", "escalate", "time_passes"),
    Status.QUEUED: ("push", "push", "push", "speak", "transfer", "hand_over"),
    Status.ASSIGNED: ("push", "time_passes", "time_passes", "transfer", "speak"),
    Status.ACTIVE: (
        *(
            "answer",
            "answer",
            "answer",
            "answer",
            "answer",
            "finish",
            "finish",
            "finish",
            "snooze",
            "snooze",
        ),
        *("transfer", "hand_over", "release", "pend", "solve", *("time_passes",) * 5),
    ),
    Status.SNOOZED: ("speak", "wake", "time_passes", "time_passes"),
    Status.PENDING: ("speak",),
    Status.ON_HOLD: ("speak",),
    Status.SOLVED: ("speak", "time_passes", "survey"),
    Status.CLOSED: ("survey",),
}
ENDS_OF_CALLS = (
    ("ended", "hung_up"),
    ("ended", "hung_up"),
    ("ended", "lost"),
    ("missed", "no_answer"),
    ("missed", "cancelled"),
    ("declined", "declined"),
    ("failed", "failed"),
)
histories = st.integers(0, 10_000)
"""A history is its seed, so that a failing one is easy to report."""


@dataclass
class World:
    """Two websites in two time zones. The first group has opening hours and one agent fewer, the
    second an answer timer."""

    steps: list[RuleStep] = field(default_factory=list)
    agents: list[Agent] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    sold: list[tuple[Website, str]] = field(default_factory=list)
    at: datetime = START
    connected: set[int] = field(default_factory=set)
    statuses: dict[int, tuple[bool, bool]] = field(default_factory=dict)
    log: list[tuple[datetime, int, bool, bool]] = field(default_factory=list)

    @classmethod
    def make(cls) -> World:
        paris = WebsiteFactory(time_zone="Europe/Paris", assignment_hours=1, transaction_hours=2)
        auckland = WebsiteFactory(time_zone="Pacific/Auckland", assignment_hours=1)
        world = cls()
        for website in (paris, paris, auckland):
            world.steps.append(StepFactory(rule__website=website))
        world.agents = [AgentFactory(), AgentFactory(user__role=Role.EXPERT)]
        for step in world.steps:
            step.group.members.set(world.agents)
        world.groups[0].members.remove(world.agents[1])
        Group.objects.filter(pk=world.groups[1].pk).update(answer_seconds=60)
        first = world.groups[0]
        for weekday in range(7):
            for opens, closes in ((time(1, 30), time(9)), (time(14), time(18, 15))):
                OpeningHours.objects.create(
                    group=first, weekday=weekday, opens=opens, closes=closes
                )
        return world

    @property
    def groups(self) -> list[Group]:
        return [step.group for step in self.steps]

    @property
    def websites(self) -> list[Website]:
        return list({step.rule.website.pk: step.rule.website for step in self.steps}.values())

    def live(self, history: int, deeds: int = 130) -> None:
        """Run some three days; the lifecycle itself refuses what is impossible."""
        chance = Random(history)
        for _ in range(deeds):
            self.at += chance.randrange(5) * QUARTER
            number = chance.randrange(11)
            if chance.random() < 0.2:
                self._trade(chance)
            if chance.random() < 0.25:
                self._come_or_go(chance)
            if chance.random() < 0.15 or not self.opened:
                self.open(number, by_bot=chance.random() < 0.3)
                continue
            one = Conversation.objects.get(pk=chance.choice(self.opened[-6:]))
            with suppress(Refused, Rejected, surveys.Invalid):
                self._do(chance.choice(LIKELY[Status(one.status)]), one, number)
            self._watch()
        presence.keep_spans(at=self.at)
        self._call(Random(f"calls of {history}"))
        self._read(Random(f"articles of {history}"))
        self._end_with_bot()

    def _call(self, chance: Random) -> None:
        """Let some conversations have calls, one after another, answered or not."""
        for one in Conversation.objects.filter(pk__in=self.opened).order_by("pk"):
            at = one.opened_at
            for _ in range(chance.randrange(6)):
                at += chance.randrange(1, 8) * QUARTER
                status, end = chance.choice(ENDS_OF_CALLS)
                answered_at = at + timedelta(seconds=chance.randrange(1, 30))
                Call.objects.create(
                    conversation=one,
                    agent=chance.choice(self.agents),
                    begun_by=chance.choice(("visitor", "agent")),
                    has_video=chance.random() < 0.5,
                    status=status,
                    end=end,
                    rang_at=at,
                    answered_at=answered_at if status == "ended" else None,
                    ended_at=answered_at + timedelta(seconds=chance.randrange(1, 600)),
                    visitor_loss=chance.choice((None, 0.0, 1.5, 8.0)),
                    agent_loss=chance.choice((None, 0.0, 2.5)),
                    visitor_round_trip=chance.choice((None, 40, 300)),
                    agent_round_trip=chance.choice((None, 55, 500)),
                )

    def _end_with_bot(self) -> None:
        """Let bots begin and end conversations on the second day, as no deed above does."""
        for step in self.steps:
            one = with_bot(step, at=START + 30 * QUARTER, language="fr")
            at = START + 32 * QUARTER
            verbs.close(one.pk, reason=CloseReason.BOT_ENDED, actor=actors.BOT, at=at)

    def _read(self, chance: Random) -> None:
        """Let visitors read articles, some of which answer their questions."""
        for website in self.websites:
            article = ArticleFactory(website=website, language=chance.choice(("fr", "en")))
            for _ in range(chance.randrange(1, 20)):
                at = START + chance.randrange(1, 96 * 3) * QUARTER
                uses.count_read(article, at=at)
                if chance.random() < 0.5:
                    uses.count_answer(article, at=at)

    def open(self, number: int, *, by_bot: bool = False) -> None:
        """Open a conversation: with a bot, or waiting in the queue of this number."""
        step = self.steps[number % 3]
        style = (Style.LIVE, Style.SOCIAL)[number % 2]
        language = ("fr", "en")[number % 4 > 1]
        window = timedelta(hours=5) if style == Style.SOCIAL else None
        conversation = (
            with_bot(step, at=self.at, language=language)
            if by_bot
            else queued(step, at=self.at, style=style, language=language, solved_window=window)
        )
        self.opened.append(conversation.pk)

    def _come_or_go(self, chance: Random) -> None:
        """Let an agent sit down, leave, or change their availability."""
        self.at += QUARTER
        agent = chance.choice(self.agents)
        match chance.choice(("sit", "sit", "go", "on", "off", "tidy")):
            case "sit":
                presence.connect(agent.pk, uuid.uuid4(), at=self.at)
                self.connected.add(agent.pk)
            case "go":
                presence.log_out(agent.pk, at=self.at)
                self.connected.discard(agent.pk)
            case "tidy":
                presence.keep_spans(at=self.at)
            case wish:
                presence.set_available(agent.pk, Channel.CHAT, wish == "on", at=self.at)
        self._watch()

    def _watch(self) -> None:
        """Record as an observer who is there, and whether they are available."""
        rows = AgentChannel.objects.filter(agent__in=self.agents)
        for agent_id, is_available in rows.values_list("agent", "is_available"):
            now = (is_available, agent_id in self.connected)
            if self.statuses.get(agent_id) != now:
                self.statuses[agent_id] = now
                self.log.append((self.at, agent_id, *now))

    def _trade(self, chance: Random) -> None:
        """Let a visitor buy, get a refund, or find no room."""
        rule = chance.choice(self.steps).rule
        HourlyDemand.objects.get_or_create(rule=rule, hour=self.at.replace(minute=0))
        HourlyDemand.objects.filter(rule=rule, hour=self.at.replace(minute=0)).update(
            messages_refused=F("messages_refused") + chance.randrange(2)
        )
        mine = Conversation.objects.filter(pk__in=self.opened).order_by("pk")
        answered = mine.filter(first_human_reply_at__isnull=False)
        known = list(answered if chance.random() < 0.6 else mine)[-6:]
        visitor = chance.choice(known) if known else None
        number, amount = str(len(self.sold)), Decimal(chance.randrange(10_000)) / 100
        website = visitor.website if visitor else rule.website
        currency = "EUR" if website.time_zone == "Europe/Paris" else "NZD"
        recording.record(
            website,
            Purchase(number, amount, currency, self.at - chance.randrange(3) * QUARTER),
            visitor=visitor.visitor if visitor else None,
            origin=Origin.API,
            at=self.at,
        )
        self.sold.append((website, number))
        if chance.random() < 0.9:
            part = Decimal(chance.randrange(1, 5000)) / 100 if chance.random() < 0.6 else None
            with suppress(recording.Invalid):
                recording.refund(
                    *chance.choice(self.sold[-5:]), amount=part, number=number, at=self.at
                )
        self.at += QUARTER  # later messages come after the purchase

    def _do(self, verb: str, one: Conversation, number: int) -> None:
        at, agent = self.at, self.agents[number % 2]
        actor = actors.agent((one.agent or agent).user)
        match verb:
            case "escalate":
                mine = next(s for s in self.steps if s.rule.website_id == one.website_id)
                verbs.escalate(
                    one.pk, group_id=mine.group_id, queue_id=mine.pk, actor=actors.BOT, at=at
                )
            case "push":
                verbs.push(one.pk, agent=one.agent or agent, at=at)
            case "speak" | "answer" | "bot_speaks":
                self._say(one, verb, number)
            case "transfer":
                other = next(s for s in reversed(self.steps) if s.group.website == one.website)
                verbs.transfer_to_group(
                    one.pk, group=other.group, queue_id=other.pk, actor=actor, at=at
                )
            case "hand_over":
                verbs.transfer_to_agent(one.pk, agent=agent, actor=actor, at=at)
            case "snooze":
                verbs.snooze(
                    one.pk,
                    until=at + (number + 1) * QUARTER,
                    keep=number % 2 == 0,
                    auto_close=number % 3 == 0,
                    actor=actor,
                    at=at,
                )
            case "pend":
                verbs.set_pending(one.pk, actor=actor, at=at)
            case "solve":
                verbs.solve(one.pk, actor=actor, at=at)
            case "finish" if one.status == Status.ACTIVE:
                how = actors.manager(agent.user) if number == 9 else actor
                verbs.close(one.pk, reason=CloseReason.RESOLVED, actor=how, at=at)
            case "release":
                verbs.release(one.pk, actor=actors.SYSTEM, at=at)
            case "wake":
                verbs.wake(one.pk, actor=actor, at=at)
            case "time_passes":
                deadlines.enforce(one.pk, at=at)
            case "survey":
                surveys.answer(
                    one.pk,
                    csat=number % 5 + 1 if number else None,
                    nps=number if number != 5 else None,
                    comment="" if number == 3 else "Merci",
                    at=at,
                )

    def _say(self, one: Conversation, verb: str, number: int) -> None:
        author = {"speak": Author.VISITOR, "answer": Author.AGENT, "bot_speaks": Author.BOT}[verb]
        speaks_now = {Author.AGENT: Status.ACTIVE, Author.BOT: Status.BOT}
        if one.status != speaks_now.get(author, one.status):
            return
        sending.add(one.pk, author=author, body="…", client_id=uuid.uuid4(), at=self.at)
