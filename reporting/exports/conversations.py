"""One row for each conversation that began in a period, with everything that is counted for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from typing import Any

from django.db.models import Count, QuerySet, TextChoices
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from accounts.models import Channel
from conversations.models import (
    ActorKind,
    CloseReason,
    ConversationTag,
    Event,
    Style,
    Survey,
)
from conversations.models.choices import STATUS_LABELS
from reporting.exports.row_files import CHUNK, Names
from reporting.exports.workbook import Row
from reporting.figures.flow import REOPENINGS, SNOOZES, TRANSFERS
from reporting.figures.sales import ATTRIBUTED
from reporting.figures.scope import Scope
from reporting.figures.sources import OPENED, SALES
from reporting.models import Transaction
from routing.models import DistributionRule

MOVES = (TRANSFERS, SNOOZES, REOPENINGS)
MOVED = TRANSFERS.only | SNOOZES.only | REOPENINGS.only
NO_MOVES = (0, 0, 0)
NO_SURVEY = (None, None, "")
FIELDS = (
    *("pk", "website", "status", "channel", "style", "language", "rule", "group", "page_url"),
    *("opened_at", "first_human_reply_at", "closed_at", "close_reason", "closed_by", "last_seq"),
    *("last_holder", "contact_count"),
)


def headings() -> list[str]:
    """Return the header line. Durations are in seconds, moments in the website's local time."""
    return [
        *(_("Conversation"), _("Website"), _("State"), _("Channel"), _("Style"), _("Language")),
        *(_("Rule"), _("Group"), _("Agent"), _("Page"), _("Opened"), _("First human response")),
        *(_("First response (s)"), _("Closed"), _("Resolution (s)"), _("Reason"), _("Closed by")),
        *(_("Messages"), _("Contacts"), _("Transfers"), _("Snoozes"), _("Reopenings")),
        *(_("Satisfaction"), _("Recommendation"), _("Comment"), _("Transactions attributed")),
        _("Tags"),
    ]


def opened(scope: Scope) -> QuerySet[Any]:
    """Return the conversations that the figure "Conversations opened" counts."""
    return scope.rows(OPENED)


class Writer:
    """Writes the conversations of a scope as rows. Names and labels are loaded and translated once
    for the whole file."""

    def __init__(self, scope: Scope) -> None:
        self.names = Names(scope)
        seen = scope.supervised.rows(group="steps__group")
        rules = DistributionRule.objects.filter(seen, website__in=scope.websites)
        self.rules = dict(rules.values_list("pk", "name"))
        self.statuses = {str(one): str(label) for one, label in STATUS_LABELS.items()}
        self.channels = _labels(Channel)
        self.styles = _labels(Style)
        self.reasons = {"": "", **_labels(CloseReason)}
        self.actors = {"": "", **_labels(ActorKind)}

    def pieces(self, scope: Scope) -> Iterator[list[Row]]:
        """Yield the rows of a day, the oldest first: a few thousand at a time, by five
        statements."""
        wanted = opened(scope).order_by("opened_at", "pk").values_list(*FIELDS)
        rest = wanted.iterator(chunk_size=CHUNK)
        while piece := list(islice(rest, CHUNK)):
            more = _More([row[0] for row in piece])
            yield [self._cells(row, more) for row in piece]

    def _cells(self, row: tuple[Any, ...], more: _More) -> Row:
        number, website, status, channel, style, language, rule, group, page, *rest = row
        opened, answered, closed, reason, by, messages, holder, contacts = rest
        zone = self.names.zones[website]
        return [
            number,
            self.names.websites[website],
            self.statuses[status],
            self.channels[channel],
            self.styles[style],
            language,
            self.rules.get(rule, ""),
            self.names.groups.get(group, ""),
            self.names.agents.get(holder, ""),
            page,
            _wall(opened, zone),
            _wall(answered, zone),
            _seconds(opened, answered),
            _wall(closed, zone),
            _seconds(opened, closed),
            self.reasons[reason],
            self.actors[by],
            messages,
            contacts,
            *more.moves.get(number, NO_MOVES),
            *more.surveys.get(number, NO_SURVEY),
            more.sales.get(number, 0),
            ", ".join(more.tags.get(number, ())),
        ]


class _More:
    """What other tables hold about some conversations."""

    def __init__(self, numbers: list[int]) -> None:
        # One array, not thousands of parameters: Django and the driver would process each of them.
        among = RawSQL("SELECT unnest(%s::bigint[])", [numbers])
        counts = {f"n{at}": Count("pk", filter=one.only) for at, one in enumerate(MOVES)}
        events = Event.objects.filter(MOVED, conversation__in=among).order_by()
        counted = events.values_list("conversation_id").annotate(**counts)
        self.moves = {number: values for number, *values in counted}
        answered = Survey.objects.filter(conversation__in=among, answered_at__isnull=False)
        # In order of their answers, so that the last of several stays.
        self.surveys = {
            number: values
            for number, *values in answered.order_by("answered_at", "pk").values_list(
                "conversation_id", "csat", "nps", "comment"
            )
        }
        self.tags: dict[int, list[str]] = defaultdict(list)
        marks = ConversationTag.objects.filter(conversation__in=among).order_by("tag__name", "tag")
        for number, name in marks.values_list("conversation", "tag__name"):
            self.tags[number].append(name)
        sales = Transaction.objects.filter(
            SALES.only, ATTRIBUTED, conversation__in=among
        ).order_by()
        self.sales = dict(sales.values_list("conversation_id").annotate(n=Count("pk")))


def _labels(choices: type[TextChoices]) -> dict[str, str]:
    return {str(value): str(label) for value, label in choices.choices}


def _wall(moment: datetime | None, zone: tzinfo) -> datetime | None:
    return moment and moment.astimezone(zone).replace(tzinfo=None, microsecond=0)


def _seconds(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else (end - start) // timedelta(seconds=1)
