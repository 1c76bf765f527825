"""The rows behind a figure: exactly what was counted, one line each (B10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, IntegerField, QuerySet, Value

from accounts.models import Agent, User
from conversations.models import ArticleUse, Conversation, Survey
from reporting.figures.measures import Measure, Number
from reporting.figures.registry import Figure
from reporting.figures.scope import Scope
from reporting.models import Refund, Transaction

CONVERSATION = "conversation"
COLUMN = "conversation_id"


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row: its conversation if it has one, when it counted, its owner, and its worth. ``at`` is
    in the local time of its website; ``survey`` and ``sale`` have the details, and ``article`` is a
    title."""

    number: int | None
    may_read: bool
    at: datetime
    website: str
    group: str
    agent: str
    worth: Number
    survey: Survey | None
    sale: Transaction | None
    article: str = ""


def ordered(figure: Figure, scope: Scope) -> QuerySet[Any]:
    """Return the rows of the figure, the newest first."""
    measure = figure.measure(scope)
    source = measure.source
    behind: QuerySet[Any] = (
        scope.behind(measure)
        .annotate(whose=source.whose())
        .select_related(source.field("website"), *([source.group] if source.group else []))
        .order_by(F(source.moment).desc(), "-pk")
    )
    return behind


Plain = tuple[Any, ...]
"""Number, moment, website, group, agent, worth; a survey's two answers and comment; a purchase's
number, amount, currency and outcome; last its weight in a weighted mean. Named things are given by
their keys."""


def plain(figure: Figure, scope: Scope) -> QuerySet[Any, Plain]:
    """Return the rows of the figure as a file needs them, the oldest first, straight from the
    database."""
    measure = figure.measure(scope)
    source = measure.source
    nothing = Value(None, output_field=IntegerField())
    of_survey = source.model is Survey
    sale = {Transaction: "", Refund: "transaction__"}.get(source.model)
    number = "pk" if source.model is Conversation else source.path.removesuffix("__")
    behind: QuerySet[Any] = scope.behind(measure).order_by(source.moment, "pk")
    return behind.values_list(
        F(number) if number == "pk" or number.endswith(CONVERSATION) else nothing,
        F(source.moment),
        F(source.field("website")),
        F(source.group) if source.group else nothing,
        source.whose(),
        Value(1) if measure.worth is None else F("worth"),
        *(F(name) if of_survey else nothing for name in ("csat", "nps", "comment")),
        *(
            nothing if sale is None else F(f"{sale}{name}")
            for name in ("external_id", "amount", "currency", "outcome")
        ),
        nothing if measure.weight is None else F("weight"),
    )


def rows(
    figure: Figure, scope: Scope, rows: Iterable[Any], reader: User | None = None
) -> list[FigureRow]:
    """Return ``rows`` of ``ordered`` as a page shows them, by three statements, however many there
    are.

    Without a reader, the permission to open the conversations is not checked: a file has no links.
    """
    measure = figure.measure(scope)
    rows = list(rows)
    agents = Agent.objects.in_bulk({row.whose for row in rows if row.whose})
    numbers = [number for row in rows if (number := _number(row)) is not None]
    may_read = set[int]()
    if reader is not None:
        readable = Conversation.objects.visible_to(reader).filter(pk__in=numbers)
        may_read = set(readable.values_list("pk", flat=True))
    return [_figure_row(measure, row, agents, may_read) for row in rows]


def _figure_row(
    measure: Measure, row: Any, agents: dict[int, Agent], may_read: set[int]
) -> FigureRow:
    number = _number(row)
    website = _along(row, measure.source.field("website"))
    moment: datetime = getattr(row, measure.source.moment)
    return FigureRow(
        number=number,
        may_read=number in may_read,
        at=moment.astimezone(website.clock),
        website=website.name,
        group=str((measure.source.group and _along(row, measure.source.group)) or ""),
        agent=str(agents.get(row.whose, "")),
        worth=getattr(row, "worth", None),
        survey=row if isinstance(row, Survey) else None,
        sale=_sale(row),
        article=row.article.name if isinstance(row, ArticleUse) else "",
    )


def _along(row: Any, path: str) -> Any:
    """Follow a path of fields from a row, as a query would."""
    for step in path.split("__"):
        row = None if row is None else getattr(row, step)
    return row


def _sale(row: Any) -> Transaction | None:
    """Return the purchase that a row is, or that it refunds."""
    if isinstance(row, Refund):
        return row.transaction
    return row if isinstance(row, Transaction) else None


def _number(row: Any) -> int | None:
    if isinstance(row, Conversation):
        return int(row.pk)
    number: int | None = getattr(_sale(row) or row, COLUMN, None)
    return number
