"""Each conversation that began in a period as one row, with all that is counted of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Channel
from conversations.models import (
    ActorKind,
    CloseReason,
    Contact,
    Event,
    Style,
    Survey,
)
from conversations.models.conversations import STATUS_LABELS
from reporting.exports import CHUNK, Names, Row
from reporting.figures.flow import REOPENINGS, SNOOZES, TRANSFERS
from reporting.figures.scope import Scope
from reporting.figures.sources import OPENED
from reporting.models import Transaction
from routing.models import DistributionRule

MOVES = (TRANSFERS, SNOOZES, REOPENINGS)
FIELDS = (
    *("pk", "website", "status", "channel", "style", "language", "rule", "group", "page_url"),
    *("opened_at", "first_human_reply_at", "closed_at", "close_reason", "closed_by", "last_seq"),
)


def headings() -> list[str]:
    """The first line. Lengths of time are in seconds, moments by the website's wall clock."""
    return [
        *(_("Conversation"), _("Website"), _("State"), _("Channel"), _("Style"), _("Language")),
        *(_("Rule"), _("Group"), _("Agent"), _("Page"), _("Opened"), _("First human answer")),
        *(_("First response (s)"), _("Closed"), _("Resolution (s)"), _("Reason"), _("Closed by")),
        *(_("Messages"), _("Contacts"), _("Transfers"), _("Snoozes"), _("Reopenings")),
        *(_("Satisfaction"), _("Recommendation"), _("Comment"), _("Transactions attributed")),
    ]


def found(scope: Scope) -> QuerySet[Any]:
    """Those that the figure "Conversations opened" counts."""
    return scope.rows(OPENED)


def pieces(scope: Scope, names: Names) -> Iterator[list[Row]]:
    """The rows of a day, the oldest first: some thousand by five statements."""
    rules = dict(
        DistributionRule.objects.filter(website__in=scope.websites).values_list("pk", "name")
    )
    wanted = found(scope).order_by("opened_at", "pk").values_list(*FIELDS)
    rest = wanted.iterator(chunk_size=CHUNK)
    while piece := list(islice(rest, CHUNK)):
        more = _More([row[0] for row in piece])
        yield [_cells(row, more, names, rules) for row in piece]


class _More:
    """What other tables say of some conversations."""

    def __init__(self, numbers: list[int]) -> None:
        self.contacts: Counter[int] = Counter()
        self.agents: dict[int, int] = {}
        contacts = Contact.objects.filter(conversation__in=numbers)
        for number, agent in contacts.order_by("started_at", "pk").values_list(
            "conversation_id", "agent_id"
        ):
            self.contacts[number] += 1
            self.agents[number] = agent  # the last one stays
        self.moves: dict[str, dict[int, int]] = {}
        for source in MOVES:
            events = Event.objects.filter(source.only, conversation__in=numbers).order_by()
            counted = events.values_list("conversation_id").annotate(n=Count("pk"))
            self.moves[source.name] = defaultdict(int, counted)
        answered = Survey.objects.filter(conversation__in=numbers, answered_at__isnull=False)
        self.surveys = {
            number: said
            for number, *said in answered.order_by("answered_at", "pk").values_list(
                "conversation_id", "csat", "nps", "comment"
            )
        }
        sales = Transaction.objects.filter(conversation__in=numbers, refunded_at=None).order_by()
        self.sales = dict(sales.values_list("conversation_id").annotate(n=Count("pk")))


STATUSES: dict[str, Any] = {str(status): label for status, label in STATUS_LABELS.items()}


def _cells(row: tuple[Any, ...], more: _More, names: Names, rules: dict[int, str]) -> Row:
    number, website, status, channel, style, language, rule, group, page, *rest = row
    opened, answered, closed, reason, by, messages = rest
    zone = names.zones[website]
    return [
        number,
        names.websites[website],
        str(STATUSES[status]),
        str(Channel(channel).label),
        str(Style(style).label),
        language,
        rules.get(rule, ""),
        names.groups.get(group, ""),
        names.agents.get(more.agents.get(number, 0), ""),
        page,
        _wall(opened, zone),
        _wall(answered, zone),
        _seconds(opened, answered),
        _wall(closed, zone),
        _seconds(opened, closed),
        str(CloseReason(reason).label) if reason else "",
        str(ActorKind(by).label) if by else "",
        messages,
        more.contacts[number],
        *(more.moves[source.name][number] for source in MOVES),
        *more.surveys.get(number, (None, None, "")),
        more.sales.get(number, 0),
    ]


def _wall(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return moment and moment.astimezone(zone).replace(tzinfo=None, microsecond=0)


def _seconds(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else (end - start) // timedelta(seconds=1)
