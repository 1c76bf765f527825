"""Imports of purchases and refunds from a shop system's file: all lines or none, each error with
its line.

The file is recorded in one transaction. If a line has an error, or if the import is only a check,
everything is rolled back at the end (C60).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import Website
from reporting.models import Origin
from reporting.sales import recording
from reporting.sales.csv_lines import Record, records
from reporting.sales.recording import Invalid, Purchase

NEEDED = ("id", "amount", "currency", "made_at")
COLUMNS = (*NEEDED, "customer", "visitor", "refunded")
FAULTS = 1000
"""Errors listed by line; further ones are only counted."""

# A comma or a point before two decimals. Only spaces group thousands, so that "1,200" is not 1.20.
AMOUNT = re.compile(r"([0-9]+|[0-9]{1,3}([ \u00a0\u202f][0-9]{3})+)([.,][0-9]{1,2})?")
SPACES = re.compile(r"[ \u00a0\u202f]")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(slots=True)
class Imported:
    """The result of an import, or of a check if ``is_recorded`` is false. ``faults`` are (line
    number, reason), ``unused`` the columns that are ignored."""

    new: int = 0
    known: int = 0
    refunds: int = 0
    refused: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    is_recorded: bool = False

    @property
    def not_listed(self) -> int:
        """How many refused lines ``faults`` leaves out."""
        return self.refused - len(self.faults)


def read(
    website: Website, lines: Iterable[str], *, at: datetime, only_check: bool = False
) -> Imported:
    """Record every line of a CSV file (commas, semicolons or tabs, with a header line), or nothing
    if one of them has an error or ``only_check`` is set.

    ``id, amount, currency, made_at`` are required; ``customer`` or ``visitor`` identifies the
    buyer, and ``refunded`` is the total refunded so far. Moments without a zone are in the
    website's local time. The same file may be imported any number of times. Raises ``Invalid`` if
    the first line is not a valid header.
    """
    rows = records(lines)
    names = _names(next(rows, None))
    done = Imported(unused=[name for name in names if name and name not in COLUMNS])
    with transaction.atomic():
        for record in rows:
            try:
                _import_row(website, _row(names, record), done, at=at)
            except Invalid as invalid:
                done.refused += 1
                if len(done.faults) < FAULTS:
                    done.faults.append((record.number, str(invalid)))
        done.is_recorded = not done.refused and not only_check
        if not done.is_recorded:
            transaction.set_rollback(True)
    return done


def _names(first: Record | None) -> list[str]:
    """Return the names of the columns. Raises ``Invalid`` if a required one is missing or one is
    repeated."""
    if first is not None and first.fault:
        raise Invalid(_("Line %(number)s: %(why)s") % {"number": first.number, "why": first.fault})
    names = [cell.strip().lower() for cell in first.cells] if first else []
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise Invalid(
            _("The first line must name the columns. These columns are missing: %(names)s.")
            % {"names": ", ".join(missing)}
        )
    doubled = [name for name in dict.fromkeys(names) if name and names.count(name) > 1]
    if doubled:
        raise Invalid(
            _("The first line names these columns more than once: %(names)s.")
            % {"names": ", ".join(doubled)}
        )
    return names


def _row(names: list[str], record: Record) -> dict[str, str]:
    """Return a record's cells by the names of their columns."""
    if record.fault:
        raise Invalid(record.fault)
    if len(record.cells) != len(names):
        raise Invalid(
            _("This line has %(cells)s fields, but the first line names %(names)s.")
            % {"cells": len(record.cells), "names": len(names)}
        )
    return dict(zip(names, record.cells, strict=True))


def _import_row(website: Website, row: dict[str, str], done: Imported, *, at: datetime) -> None:
    purchase = Purchase(
        row["id"],
        _amount(row["amount"]),
        row["currency"].upper(),
        _moment(website, row["made_at"]),
    )
    visitor = recording.customer_of(
        website, visitor=_browser(row.get("visitor", "")), person=row.get("customer", "")
    )
    refunded = _amount(row["refunded"]) if row.get("refunded") else Decimal(0)
    if refunded > purchase.amount:
        raise Invalid(_("The refund exceeds the amount paid."))
    stored, is_new = recording.record(
        website, purchase, visitor=visitor, origin=Origin.IMPORT, at=at
    )
    done.new += is_new
    done.known += not is_new
    if refunded > stored.refunded:
        # Files give the total; any increase is a refund of its own.
        recording.refund(
            website,
            stored.external_id,
            amount=refunded - stored.refunded,
            number=f"import-{refunded}",
            at=at,
        )
        done.refunds += 1


def _amount(text: str) -> Decimal:
    if not AMOUNT.fullmatch(text):
        raise Invalid(
            _("“%(text)s” is not a valid amount. Use the format 1234.50.") % {"text": _short(text)}
        )
    return Decimal(SPACES.sub("", text).replace(",", "."))


def _browser(text: str) -> str:
    if text:
        try:
            uuid.UUID(text)
        except ValueError:
            raise Invalid(
                _("“%(text)s” is not a browser id from the Messenger.") % {"text": _short(text)}
            ) from None
    return text


def _moment(website: Website, text: str) -> datetime:
    """Return the moment in a cell. A date alone is refused: taken as midnight, it would lie before
    the messages that led to the purchase."""
    if DATE.fullmatch(text):
        raise Invalid(_("“%(text)s” has no time. Use the format %(text)sT09:30.") % {"text": text})
    try:
        moment = parse_datetime(text) if MOMENT.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise Invalid(
            _("“%(text)s” is not a valid date and time. Use the format 2026-11-22T09:30:00+01:00.")
            % {"text": _short(text)}
        )
    if moment.tzinfo is not None or moment.year < recording.EARLIEST_YEAR:
        return moment
    local = moment.replace(tzinfo=website.zone)
    if local.astimezone(UTC).astimezone(website.zone).replace(tzinfo=None) != moment:
        raise Invalid(
            _("“%(text)s” does not exist because the clocks went forward.") % {"text": text}
        )
    return local


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
