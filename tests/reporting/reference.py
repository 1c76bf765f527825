"""Every figure computed a second time, slowly and obviously: from the raw ledger, messages and
answers.

It shares no code with the reports. It does not read contacts, reads only the engagement (rule,
style, language) from a conversation's row, and uses no SQL. Figures are recomputed for one or more
websites, by days in local time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from accounts.hours import Schedule, is_open
from accounts.models import Agent, Group, Website, schedule_of
from conversations.models import ArticleUse, Call, Conversation, Event, Message, Survey
from reporting.models import Refund, Transaction
from routing.models import HourlyDemand

QUARTER = timedelta(minutes=15)


@dataclass
class Contact:
    agent: int
    group: int | None
    waited_since: datetime
    start: datetime
    end: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Engaged:
    """How a visitor was engaged; rows without an engagement have nothing."""

    rule: int | None = None
    style: str | None = None
    language: str | None = None

    @classmethod
    def of(cls, one: Conversation | None) -> Engaged:
        return cls() if one is None else cls(one.rule_id, one.style, one.language)


@dataclass
class Life:
    """One conversation, reconstructed from its ledger and its messages."""

    website: Website
    events: list[Event]
    messages: list[Message]
    surveys: list[Survey]
    contacts: list[Contact] = field(default_factory=list)

    def __post_init__(self) -> None:
        since = self.opened_at
        for before, event in pairwise([None, *self.events]):
            assert event is not None
            if before is not None and before.to_status == "active":
                held = self.contacts[-1]
                held.end, held.reason = event.at, str(event.data.get("end_reason"))
            if event.to_status == "active":
                assert event.agent_id is not None
                self.contacts.append(Contact(event.agent_id, event.group_id, since, event.at))
            elif event.verb not in {"expire", "drop_skills"}:
                since = event.at

    @property
    def visitor(self) -> int:
        return self.events[0].conversation.visitor_id

    @property
    def engaged(self) -> Engaged:
        return Engaged.of(self.events[0].conversation)

    @property
    def opened_at(self) -> datetime:
        return self.events[0].at

    @property
    def closed_at(self) -> datetime | None:
        last = self.events[-1]
        return last.at if last.to_status == "closed" else None

    @property
    def group(self) -> int | None:
        return self.events[-1].group_id

    @property
    def agent(self) -> int | None:
        return self.contacts[-1].agent if self.contacts else None

    @property
    def was_queued(self) -> bool:
        return self.events[-1].queue_id is not None

    @property
    def first_answer_at(self) -> datetime | None:
        return next((m.created_at for m in self.messages if m.author == "agent"), None)


@dataclass
class ReferenceRow:
    """One row behind a figure."""

    life: Life | Purchase
    at: datetime
    agent: int | None
    group: int | None
    worth: float = 1.0
    groups: frozenset[int] | None = None
    """The groups to which it belongs, if it has no group of its own."""

    def belongs_to(self, some: set[int]) -> bool:
        """Return whether a user who oversees only these groups of its website sees it."""
        mine = {self.group} if self.groups is None else self.groups
        return bool(mine & some)


Lines = list[ReferenceRow]


@dataclass
class Purchase:
    """A row that is not a conversation: its website, and the engagement of the conversation behind
    it."""

    website: Website
    engaged: Engaged = Engaged()


def sold(all_lives: list[Life], worth: Callable[[Sale], float | None]) -> Lines:
    """Return purchases that were not refunded; attribution is computed from all messages, one by
    one."""
    lines = []
    for website in Website.objects.all():
        for row in Transaction.objects.filter(website=website, refunded_at=None):
            words = [
                (message.created_at, message.agent_id, life)
                for life in all_lives
                if life.visitor == row.visitor_id
                for message in life.messages
                if message.author == "agent" and message.created_at <= row.made_at
            ]
            last = max(words, key=lambda word: word[0], default=None)
            hours = timedelta(hours=website.transaction_hours)
            is_theirs = last is not None and row.made_at - last[0] <= hours
            elapsed = seconds(last[0], row.made_at) if last else 0.0
            given_back = sum(refund.amount for refund in row.refunds.all())
            net = Money(row.amount - given_back, row.currency)
            value = worth(Sale(is_theirs, net, elapsed))
            if value is not None:
                whose = last[1] if last and is_theirs else None
                purchase = Purchase(website, last[2].engaged if last else Engaged())
                lines.append(ReferenceRow(purchase, row.made_at, whose, row.group_id, value))
    return lines


def refund_lines(worth: Callable[[Refund], float | None]) -> Lines:
    """Return refunds, attributed as their purchases are."""
    return [
        ReferenceRow(
            Purchase(row.website, Engaged.of(row.conversation)),
            refund.made_at,
            row.agent_id,
            row.group_id,
            value,
        )
        for refund in Refund.objects.select_related("transaction__website")
        for row in [refund.transaction]
        if (value := worth(refund)) is not None
    ]


class Money(float):
    """An amount with its currency."""

    def __new__(cls, amount: object, currency: str) -> Money:
        return super().__new__(cls, amount)  # type: ignore[arg-type]

    def __init__(self, amount: object, currency: str) -> None:
        self.currency = currency


def money(values: list[float]) -> float | None:
    """Add amounts, unless their currencies differ."""
    currencies = {value.currency for value in values if isinstance(value, Money)}
    return None if len(currencies) > 1 else math.fsum(values)


@dataclass
class Sale:
    is_attributed: bool
    amount: Money
    elapsed: float


def paid(all_lives: list[Life]) -> Lines:
    """Return closures with the expert they pay: the one who closed, or, if no team member closed,
    the last who wrote. The closure's ledger line tells who was an expert then."""
    users = {agent.pk: agent.user_id for agent in Agent.objects.all()}
    lines = []
    for life in all_lives:
        last = life.events[-1]
        if last.to_status != "closed" or last.actor_kind == "manager":
            continue
        experts = users if last.data["payee_role"] == "expert" else {}
        if last.actor_kind == "agent":
            whose = [pk for pk, user in experts.items() if user == last.actor_user_id]
        else:
            wrote = [m.agent_id for m in life.messages if m.author == "agent"]
            whose = [pk for pk in wrote[-1:] if pk in experts]
        lines += [ReferenceRow(life, last.at, pk, life.group) for pk in whose if pk is not None]
    return lines


def refused(all_lives: list[Life]) -> Lines:
    return [
        ReferenceRow(
            Purchase(row.rule.website, Engaged(row.rule.pk, row.rule.style)),
            row.hour,
            None,
            None,
            row.messages_refused,
            frozenset(step.group_id for step in row.rule.steps.all()),
        )
        for row in HourlyDemand.objects.select_related("rule__website")
        if row.messages_refused
    ]


def read(column: str) -> Callable[[list[Life]], Lines]:
    """Return the days on which articles were used, each at its first moment."""
    return lambda _all_lives: [
        ReferenceRow(
            Purchase(use.article.website, Engaged(language=use.article.language)),
            datetime.combine(use.day, time(0), tzinfo=use.article.website.zone),
            None,
            None,
            float(getattr(use, column)),
            frozenset(),
        )
        for use in ArticleUse.objects.select_related("article__website")
        if getattr(use, column)
    ]


def by_bot(wanted: Callable[[Life], bool]) -> Callable[[list[Life]], Lines]:
    """Return the closed conversations that a bot began and that are wanted."""

    def worth(life: Life) -> float | None:
        return 1.0 if life.events[0].verb == "start_bot" and wanted(life) else None

    return lambda all_lives: closed(all_lives, worth)


def fell_silent(life: Life) -> bool:
    """Return whether the bot's deadline ended it: no other system closes from there."""
    from_bot = len(life.events) > 1 and life.events[-2].to_status == "bot"
    return from_bot and life.events[-1].actor_kind == "system"


def called(
    all_lives: list[Life], worth: Callable[[Call], float | None] = lambda call: 1.0
) -> Lines:
    """Return the calls of the conversations, when they rang."""
    lives = {life.events[0].conversation_id: life for life in all_lives}
    return [
        ReferenceRow(life, call.rang_at, call.agent_id, life.group, value)
        for call in Call.objects.filter(conversation__in=lives)
        for life in [lives[call.conversation_id]]
        if (value := worth(call)) is not None
    ]


def which(wanted: Callable[[Call], bool]) -> Callable[[list[Life]], Lines]:
    return lambda all_lives: called(all_lives, lambda call: 1.0 if wanted(call) else None)


def talked(call: Call) -> float | None:
    """Return how long both talked."""
    if call.status != "ended" or call.answered_at is None or call.ended_at is None:
        return None
    return seconds(call.answered_at, call.ended_at)


def rang(call: Call) -> float | None:
    """Return how long a visitor heard it ring, if an agent answered."""
    if call.status != "ended" or call.begun_by != "visitor" or call.answered_at is None:
        return None
    return seconds(call.rang_at, call.answered_at)


def worse(call: Call, *measured: float | None) -> float | None:
    known = [one for one in measured if one is not None]
    return max(known) if known and call.status == "ended" else None


def missed_share(call: Call) -> float | None:
    return points(call.status == "missed") if call.begun_by == "visitor" else None


class Lives(list[Life]):
    """The conversations, and an observer's log of the agents: (when, agent, available, there);
    ``now`` is when the observation ended."""

    websites: list[Website]
    log: list[tuple[datetime, int, bool, bool]]
    now: datetime
    spans: list[tuple[Website, int, Span]]
    known: dict[tuple[str, date, date], Lines]


def lives(
    websites: list[Website], log: list[tuple[datetime, int, bool, bool]], now: datetime
) -> Lives:
    all_lives = Lives()
    all_lives.websites, all_lives.log, all_lives.now, all_lives.spans = websites, log, now, []
    all_lives.known = {}
    for website in websites:
        events: dict[int, list[Event]] = {}
        for event in Event.objects.filter(conversation__website=website).order_by("pk"):
            events.setdefault(event.conversation_id, []).append(event)
        for number, its_events in events.items():
            all_lives.append(
                Life(
                    website,
                    its_events,
                    list(Message.objects.filter(conversation=number).order_by("seq")),
                    list(Survey.objects.filter(conversation=number).order_by("pk")),
                )
            )
    return all_lives


def spans(all_lives: list[Life], worth: Callable[[Span], float | None]) -> Lines:
    """Return each agent's time, quarter by quarter, joined where neither the status nor the hour
    changes; without what had not ended when the observation did."""
    assert isinstance(all_lives, Lives)
    if not all_lives.spans:
        all_lives.spans = [
            one for website in all_lives.websites for one in _spans_of(all_lives, website)
        ]
    teams = {
        (website.pk, agent): _teams(agent, website)
        for website, agent in {(website, agent) for website, agent, _span in all_lives.spans}
    }
    return [
        ReferenceRow(
            Purchase(website), span.quarters[0], agent, None, value, teams[website.pk, agent]
        )
        for website, agent, span in all_lives.spans
        if (value := worth(span)) is not None
    ]


def _teams(agent: int, website: Website) -> frozenset[int]:
    mine = Group.objects.filter(members=agent, website=website)
    return frozenset(mine.values_list("pk", flat=True))


def _spans_of(all_lives: Lives, website: Website) -> Iterator[tuple[Website, int, Span]]:
    schedules = [schedule_of(group) for group in Group.objects.filter(website=website)]
    for agent in Agent.objects.filter(groups__website=website).distinct():
        held = [
            (one.start, one.end or all_lives.now)
            for life in all_lives
            if life.website == website
            for one in life.contacts
            if one.agent == agent.pk
        ]
        log = [entry for entry in all_lives.log if entry[1] == agent.pk]
        for span in _spans(log, website, all_lives.now):
            span.busy = 900.0 * sum(
                any(start <= at < end for start, end in held) for at in span.quarters
            )
            span.open = 900.0 * sum(
                any(is_open(schedule, at) for schedule in schedules) for at in span.quarters
            )
            yield website, agent.pk, span


def _spans(
    log: list[tuple[datetime, int, bool, bool]], website: Website, now: datetime
) -> Iterator[Span]:
    changes = {at for at, _who, _available, _there in log}
    span: Span | None = None
    at = log[0][0] if log else now
    while at <= now:
        _at, _who, is_available, is_there = [entry for entry in log if entry[0] <= at][-1]
        begins_hour = at.astimezone(website.zone).minute == 0
        if span is not None and (at in changes or begins_hour):
            yield span
            span = None
        if is_there and at < now:
            span = span or Span(is_available)
            span.quarters.append(at)
        at += QUARTER


@dataclass
class Span:
    is_available: bool
    quarters: list[datetime] = field(default_factory=list)
    busy: float = 0.0
    open: float = 0.0

    @property
    def length(self) -> float:
        return 900.0 * len(self.quarters)


class Weighted(float):
    """A value and its weight."""

    def __new__(cls, value: float, weight: float) -> Weighted:
        return super().__new__(cls, value)

    def __init__(self, value: float, weight: float) -> None:
        self.weight = weight


def weighted(values: list[float]) -> float | None:
    pairs = [(float(value), value.weight) for value in values if isinstance(value, Weighted)]
    whole = math.fsum(weight for _value, weight in pairs)
    return math.fsum(value * weight for value, weight in pairs) / whole if whole else None


def seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def open_seconds(life: Life, start: datetime, end: datetime) -> float:
    """Count quarter by quarter: all moments of these histories lie on a quarter."""
    if life.group is None:
        return seconds(start, end)
    schedule: Schedule = schedule_of(Group.objects.get(pk=life.group))
    quarters = int((end - start) / QUARTER)
    return 900.0 * sum(is_open(schedule, start + n * QUARTER) for n in range(quarters))


def closed(
    all_lives: list[Life], worth: Callable[[Life], float | None] = lambda life: 1.0
) -> Lines:
    return [
        ReferenceRow(life, life.closed_at, life.agent, life.group, value)
        for life in all_lives
        if life.closed_at is not None and (value := worth(life)) is not None
    ]


def begun(all_lives: list[Life], wanted: Callable[[Life], bool] = lambda life: True) -> Lines:
    return [
        ReferenceRow(life, life.opened_at, life.agent, life.group)
        for life in all_lives
        if wanted(life)
    ]


def events(all_lives: list[Life], *verbs: str) -> Lines:
    agents = {agent.user_id: agent.pk for agent in Agent.objects.all()}
    return [
        ReferenceRow(life, event.at, agents.get(event.actor_user_id or 0), event.group_id)
        for life in all_lives
        for event in life.events
        if event.verb in verbs
    ]


def answered(all_lives: list[Life], worth: Callable[[Survey], float | None]) -> Lines:
    return [
        ReferenceRow(life, survey.answered_at, survey.agent_id, survey.group_id, value)
        for life in all_lives
        for survey in life.surveys
        if survey.answered_at is not None and (value := worth(survey)) is not None
    ]


def ended(all_lives: list[Life], wanted: Callable[[Contact], bool] = lambda c: True) -> Lines:
    return [
        ReferenceRow(life, one.end, one.agent, one.group, seconds(one.start, one.end))
        for life in all_lives
        for one in life.contacts
        if one.end is not None and wanted(one)
    ]


def points(hit: bool) -> float:
    return 100.0 if hit else 0.0


def first_response(life: Life) -> float | None:
    answer = life.first_answer_at
    return None if answer is None else seconds(life.opened_at, answer)


def first_response_open(life: Life) -> float | None:
    answer = life.first_answer_at
    return None if answer is None else open_seconds(life, life.opened_at, answer)


def resolution(life: Life) -> float:
    assert life.closed_at is not None
    return seconds(life.opened_at, life.closed_at)


def resolution_open(life: Life) -> float:
    assert life.closed_at is not None
    return open_seconds(life, life.opened_at, life.closed_at)


def waited(all_lives: list[Life]) -> Lines:
    return [
        ReferenceRow(life, one.start, one.agent, one.group, seconds(one.waited_since, one.start))
        for life in all_lives
        for one in life.contacts
    ]


def after_snooze(all_lives: list[Life], wanted: Callable[[Event], bool]) -> Lines:
    agents = {agent.user_id: agent.pk for agent in Agent.objects.all()}
    return [
        ReferenceRow(
            life, event.at, agents.get(event.actor_user_id or 0), event.group_id, points(hit)
        )
        for life in all_lives
        for event, following in pairwise(life.events)
        if event.verb == "snooze"
        for hit in [wanted(following)]
    ]


def recommendation(survey: Survey) -> float | None:
    if survey.nps is None:
        return None
    return 100.0 if survey.nps >= 9 else -100.0 if survey.nps <= 6 else 0.0


def mean(values: list[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def percentile(values: list[float], share: float) -> float | None:
    """Interpolate linearly between the two nearest ranks."""
    if not values:
        return None
    ordered = sorted(values)
    whole, part = divmod(share * (len(ordered) - 1), 1)
    upper = ordered[min(int(whole) + 1, len(ordered) - 1)]
    return ordered[int(whole)] * (1 - part) + upper * part


def median(values: list[float]) -> float | None:
    return percentile(values, 0.5)


def ninth(values: list[float]) -> float | None:
    return percentile(values, 0.9)


def total(values: list[float]) -> float:
    return math.fsum(values)


Reference = tuple[Callable[[list[Life]], Lines], Callable[[list[float]], float | int | None]]

REFERENCES: dict[str, Reference] = {
    "csat": (
        lambda f: answered(f, lambda s: None if s.csat is None else points(s.csat in {4, 5})),
        mean,
    ),
    "nps": (lambda f: answered(f, recommendation), mean),
    "response_rate": (
        lambda f: [
            ReferenceRow(
                life, s.offered_at, s.agent_id, s.group_id, points(s.answered_at is not None)
            )
            for life in f
            for s in life.surveys
        ],
        mean,
    ),
    "comments": (lambda f: answered(f, lambda s: 1.0 if s.comment else None), len),
    "first_response": (lambda f: closed(f, first_response), median),
    "first_response_mean": (lambda f: closed(f, first_response), mean),
    "first_response_p90": (lambda f: closed(f, first_response), ninth),
    "first_response_open": (lambda f: closed(f, first_response_open), median),
    "resolution": (lambda f: closed(f, resolution), median),
    "resolution_mean": (lambda f: closed(f, resolution), mean),
    "resolution_p90": (lambda f: closed(f, resolution), ninth),
    "resolution_open": (lambda f: closed(f, resolution_open), median),
    "opened": (begun, len),
    "engaged": (lambda f: begun(f, lambda life: life.was_queued), len),
    "closed": (closed, len),
    "reopened": (lambda f: events(f, "reopen"), len),
    "contacts_per_conversation": (lambda f: closed(f, lambda life: len(life.contacts)), mean),
    "one_agent": (
        lambda f: closed(
            f,
            lambda life: (
                points(len({c.agent for c in life.contacts}) == 1) if life.contacts else None
            ),
        ),
        mean,
    ),
    "transfers": (lambda f: events(f, "transfer_to_group", "transfer_to_agent"), len),
    "snoozes": (lambda f: events(f, "snooze"), len),
    "snoozes_replied": (lambda f: after_snooze(f, lambda e: e.actor_kind == "visitor"), mean),
    "snoozes_closed": (lambda f: after_snooze(f, lambda e: e.to_status == "closed"), mean),
    "expired": (lambda f: events(f, "expire"), len),
    "released": (lambda f: events(f, "release"), len),
    "recalled": (lambda f: events(f, "requeue"), len),
    "wait": (waited, median),
    "wait_p90": (waited, ninth),
    "containment": (
        lambda f: closed(
            f,
            lambda life: (
                points(not life.was_queued) if life.events[0].verb == "start_bot" else None
            ),
        ),
        mean,
    ),
    "bot_begun": (by_bot(lambda life: True), len),
    "bot_contained": (by_bot(lambda life: not life.was_queued and not fell_silent(life)), len),
    "bot_silent": (by_bot(fell_silent), len),
    "bot_passed_on": (by_bot(lambda life: life.was_queued), len),
    "articles_answered": (read("answers"), total),
    "articles_read": (read("reads"), total),
    "paid": (paid, len),
    "refused": (refused, total),
    "transactions": (lambda f: sold(f, lambda s: 1.0), len),
    "attributed": (lambda f: sold(f, lambda s: 1.0 if s.is_attributed else None), len),
    "attributed_share": (lambda f: sold(f, lambda s: points(s.is_attributed)), mean),
    "turnover": (lambda f: sold(f, lambda s: s.amount if s.is_attributed else None), money),
    "refunds": (lambda f: refund_lines(lambda r: 1.0), len),
    "turnover_refunded": (
        lambda f: refund_lines(
            lambda r: Money(r.amount, r.transaction.currency) if r.transaction.agent_id else None
        ),
        money,
    ),
    "answer_to_purchase": (
        lambda f: sold(f, lambda s: s.elapsed if s.is_attributed else None),
        median,
    ),
    "connected_time": (lambda f: spans(f, lambda s: s.length), total),
    "available_time": (lambda f: spans(f, lambda s: s.length if s.is_available else None), total),
    "availability": (
        lambda f: spans(f, lambda s: Weighted(points(s.is_available), s.length)),
        weighted,
    ),
    "occupancy": (
        lambda f: spans(
            f,
            lambda s: Weighted(100 * s.busy / s.length, s.length) if s.is_available else None,
        ),
        weighted,
    ),
    "adherence": (
        lambda f: spans(f, lambda s: Weighted(points(s.is_available), s.open) if s.open else None),
        weighted,
    ),
    "calls": (called, len),
    "calls_by_visitors": (which(lambda call: call.begun_by == "visitor"), len),
    "video_calls": (which(lambda call: call.has_video), len),
    "calls_answered": (which(lambda call: call.status == "ended"), len),
    "calls_missed": (
        which(lambda call: call.begun_by == "visitor" and call.status == "missed"),
        len,
    ),
    "calls_missed_share": (lambda f: called(f, missed_share), mean),
    "calls_missed_by_visitors": (
        which(lambda call: call.begun_by == "agent" and call.status == "missed"),
        len,
    ),
    "calls_declined": (which(lambda call: call.status == "declined"), len),
    "calls_failed": (which(lambda call: call.status == "failed"), len),
    "call_length": (lambda f: called(f, talked), median),
    "call_total": (lambda f: called(f, talked), total),
    "call_wait": (lambda f: called(f, rang), median),
    "call_loss": (
        lambda f: called(f, lambda call: worse(call, call.visitor_loss, call.agent_loss)),
        mean,
    ),
    "call_round_trip": (
        lambda f: called(
            f, lambda call: worse(call, call.visitor_round_trip, call.agent_round_trip)
        ),
        median,
    ),
    "contacts": (ended, len),
    "handled": (lambda f: closed(f, lambda life: 1.0 if life.contacts else None), len),
    "handle_time": (ended, median),
    "handle_total": (ended, total),
    "passed_on": (lambda f: ended(f, lambda c: c.reason == "transferred"), len),
    "lost_by_timer": (lambda f: ended(f, lambda c: c.reason == "unanswered"), len),
}


def lines_of(name: str, all_lives: Lives, first: date, end: date) -> Lines:
    """Return the rows behind a figure for these days, by each website's local time. Cached, because
    they are split in many ways."""
    if (name, first, end) not in all_lives.known:
        list_rows, _ = REFERENCES[name]
        all_lives.known[name, first, end] = [
            row
            for row in list_rows(all_lives)
            if first <= row.at.astimezone(row.life.website.zone).date() < end
        ]
    return all_lives.known[name, first, end]


def rows_of(
    name: str, all_lives: Lives, first: date, end: date, wanted: Callable[[ReferenceRow], bool]
) -> list[float]:
    """Return the worth of the wanted rows."""
    return [row.worth for row in lines_of(name, all_lives, first, end) if wanted(row)]


def value_of(name: str, values: list[float]) -> float | int | None:
    return REFERENCES[name][1](values)
