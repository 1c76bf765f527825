"""Purchases and refunds from a file of a shop system: each line once, and told why if it is not."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import Website
from reporting import transactions
from reporting.models import Origin
from reporting.transactions import Invalid, Purchase

NEEDED = ("id", "amount", "currency", "made_at")
COLUMNS = (*NEEDED, "customer", "visitor", "refunded")
FAULTS = 50
"""Of so many lines it is told what is wrong with them; of more only how many."""


@dataclass(slots=True)
class Imported:
    """What became of a file's lines; ``faults`` are (number of the line, why)."""

    new: int = 0
    known: int = 0
    refunds: int = 0
    refused: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)


def read(website: Website, lines: Iterable[str], *, at: datetime) -> Imported:
    """Record every line of a CSV file (commas or semicolons, with a first line of names).

    ``id, amount, currency, made_at`` are needed; ``customer`` or ``visitor`` says who bought, and
    ``refunded`` what was given back of it in all. Moments without a zone are by the website's wall.
    The same file may be read any number of times.
    """
    done = Imported()
    for number, row in _rows(lines):
        try:
            _line(website, row, done, at=at)
        except Invalid as invalid:
            done.refused += 1
            if len(done.faults) < FAULTS:
                done.faults.append((number, str(invalid)))
    return done


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    kept = iter(lines)
    first = next(kept, "").lstrip("\ufeff").strip()
    names = [name.strip().strip('"').lower() for name in first.replace(";", ",").split(",")]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise Invalid(
            _("The first line must name the columns; these are missing: %(names)s.")
            % {"names": ", ".join(missing)}
        )
    reader = csv.reader(kept, delimiter=";" if ";" in first else ",")
    for cells in reader:
        if any(cell.strip() for cell in cells):
            told = dict(zip(names, (cell.strip() for cell in cells), strict=False))
            yield reader.line_num + 1, told


def _line(website: Website, row: dict[str, str], done: Imported, *, at: datetime) -> None:
    purchase = Purchase(
        row.get("id", ""),
        _amount(row.get("amount", "")),
        row.get("currency", "").upper(),
        _moment(website, row.get("made_at", "")),
    )
    visitor = transactions.customer_of(
        website, visitor=row.get("visitor", ""), person=row.get("customer", "")
    )
    refunded = _amount(row["refunded"]) if row.get("refunded") else Decimal(0)
    if refunded > purchase.amount:
        raise Invalid(_("More would be refunded than was paid."))
    stored, is_new = transactions.record(
        website, purchase, visitor=visitor, origin=Origin.IMPORT, at=at
    )
    done.new += is_new
    done.known += not is_new
    if refunded > stored.refunded:
        # Files tell the sum: what is new of it is a refund of its own.
        transactions.refund(
            website,
            stored.external_id,
            amount=refunded - stored.refunded,
            number=f"import-{refunded}",
            at=at,
        )
        done.refunds += 1


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text.replace(" ", "").replace("\u202f", "").replace(",", "."))
    except InvalidOperation:
        raise Invalid(_("“%(text)s” is not an amount.") % {"text": text}) from None


def _moment(website: Website, text: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise Invalid(
            _("“%(text)s” is not a moment like 2026-11-22T09:30:00+01:00.") % {"text": text}
        )
    return found if found.tzinfo else found.replace(tzinfo=website.zone)
