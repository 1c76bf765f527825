"""Fill roles and opening hours of past closures from the record of changes. Before the record
begins, they are those with which it begins (C57)."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection, migrations, models

from accounts.hours import Schedule, open_spans

# Most conversations closed by a bot or a manager credit no agent, so they store no role.
ROLES = """
    UPDATE conversations_conversation c SET payee_role = coalesce((
        SELECT h.before ->> 'role' FROM accounts_change h
        WHERE h.model = 'accounts.user' AND h.object_id = u.id
            AND h.before ? 'role' AND h.at > c.closed_at
        ORDER BY h.id LIMIT 1
    ), u.role)
    FROM accounts_agent a JOIN accounts_user u ON u.id = a.user_id
    WHERE c.payee_id = a.id AND c.closed_at IS NOT NULL
"""
PATIENTLY = "SET LOCAL statement_timeout = 0"
# Otherwise the next migration could not alter the tables in the same transaction (in tests).
AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"

CHANGES = """
    SELECT at, kind, model, object_id, before FROM accounts_change
    WHERE model IN ('accounts.openinghours', 'accounts.holiday', 'accounts.group',
        'accounts.website')
    ORDER BY id DESC
"""
OPEN_UNTIL = """
    CREATE FUNCTION pg_temp.open_until(at timestamptz, opens float[], lengths float[],
        before float[]) RETURNS float LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN width_bucket(date_part('epoch', at), opens) = 0 THEN 0
        ELSE before[width_bucket(date_part('epoch', at), opens)]
            + least(date_part('epoch', at) - opens[width_bucket(date_part('epoch', at), opens)],
                lengths[width_bucket(date_part('epoch', at), opens)])
        END
    $$
"""
MEASURED = """
    UPDATE conversations_conversation c SET
        open_resolution_seconds = pg_temp.open_until(closed_at, s.o, s.l, s.b)
            - pg_temp.open_until(opened_at, s.o, s.l, s.b),
        open_response_seconds = pg_temp.open_until(first_human_reply_at, s.o, s.l, s.b)
            - pg_temp.open_until(opened_at, s.o, s.l, s.b)
    FROM (SELECT %(opens)s::float[] AS o, %(lengths)s::float[] AS l, %(before)s::float[] AS b) s
    WHERE group_id = %(group)s AND closed_at > %(since)s AND closed_at <= %(until)s
"""
BOUNDS = """
    SELECT group_id, min(opened_at), max(closed_at) FROM conversations_conversation
    WHERE closed_at IS NOT NULL AND group_id IS NOT NULL GROUP BY group_id
"""
BEGINNING, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class Held(NamedTuple):
    """An interval in which a group had the same hours."""

    group: int
    since: datetime
    until: datetime
    schedule: Schedule


class Settings:
    """The settings that determine hours: the current ones, then past ones by undoing changes."""

    def __init__(self, apps: Any) -> None:
        def rows(name: str, *columns: str) -> dict[int, dict[str, Any]]:
            found = apps.get_model("accounts", name).objects.values("id", *columns)
            return {row["id"]: {key: _text(value) for key, value in row.items()} for row in found}

        self.rows = {
            "accounts.website": rows("Website", "time_zone"),
            "accounts.group": rows("Group", "website_id", "time_zone"),
            "accounts.openinghours": rows("OpeningHours", "group_id", "weekday", "opens", "closes"),
            "accounts.holiday": rows(
                "Holiday", "website_id", "group_id", "date", "opens", "closes"
            ),
        }

    def undo(self, kind: str, model: str, number: int, before: dict[str, Any]) -> None:
        rows = self.rows[model]
        if kind == "INSERT":
            if model in {"accounts.openinghours", "accounts.holiday"}:
                rows.pop(number, None)
        elif kind == "DELETE":
            if model in {"accounts.openinghours", "accounts.holiday"}:
                rows[number] = before
        elif number in rows:
            rows[number].update(before)

    def schedule(self, group: int) -> Schedule:
        mine = self.rows["accounts.group"][group]
        website = self.rows["accounts.website"][mine["website_id"]]
        holidays = [
            row
            for row in self.rows["accounts.holiday"].values()
            if row["group_id"] == group
            or (row["group_id"] is None and row["website_id"] == mine["website_id"])
        ]
        own = {row["date"] for row in holidays if row["group_id"] == group}
        days = defaultdict[str, list[dict[str, Any]]](list)
        for row in sorted(holidays, key=lambda row: row["opens"] or ""):
            if row["group_id"] == group or row["date"] not in own:
                days[row["date"]].append(row)
        weekly = [
            row for row in self.rows["accounts.openinghours"].values() if row["group_id"] == group
        ]
        weekly.sort(key=lambda row: (row["weekday"], row["opens"]))
        return Schedule(
            zone=ZoneInfo(mine["time_zone"] or website["time_zone"]),
            weekly=tuple(
                (row["weekday"], _time(row["opens"]), _time(row["closes"])) for row in weekly
            ),
            special=tuple(
                (
                    date.fromisoformat(day),
                    tuple(
                        (_time(row["opens"]), _time(row["closes"])) for row in rows if row["opens"]
                    ),
                )
                for day, rows in sorted(days.items())
            ),
        )


def _text(value: Any) -> Any:
    """Return a value in the format of the record of changes."""
    return value.isoformat() if isinstance(value, date | time) else value


def _time(text: str) -> time:
    return time.fromisoformat(text)


def held(apps: Any) -> Iterator[Held]:
    """Yield the hours of all groups with their intervals, the newest first."""
    settings = Settings(apps)
    groups = settings.rows["accounts.group"]
    now = {group: (END, settings.schedule(group)) for group in groups}
    with connection.cursor() as cursor:
        cursor.execute(CHANGES)
        changes = cursor.fetchall()
    for at, together in groupby(changes, key=itemgetter(0)):  # one transaction has one moment
        for _at, kind, model, number, before in together:
            settings.undo(kind, model, number, json.loads(before or "{}"))
        for group, (until, schedule) in now.items():
            then = settings.schedule(group)
            if then != schedule:
                yield Held(group, at, until, schedule)
                now[group] = (at, then)
    for group, (until, schedule) in now.items():
        yield Held(group, BEGINNING, until, schedule)


def measure(apps: Any, schema_editor: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(PATIENTLY)
        cursor.execute(BOUNDS)
        bounds = {group: (first, last) for group, first, last in cursor.fetchall()}
        if not bounds:
            return
        cursor.execute(OPEN_UNTIL)
        for group, since, until, schedule in held(apps):
            if group not in bounds or not (schedule.weekly or schedule.special):
                continue
            first, last = bounds[group]
            spans = [
                (opens.timestamp(), (closes - opens).total_seconds())
                for opens, closes in open_spans(schedule, first, max(last, first))
            ]
            if not spans:
                spans = [(math.inf, 0.0)]
            before = [0.0, *accumulate(length for _opens, length in spans)][:-1]
            cursor.execute(
                MEASURED,
                {
                    "opens": [opens for opens, _length in spans],
                    "lengths": [length for _opens, length in spans],
                    "before": before,
                    "group": group,
                    "since": since,
                    "until": until,
                },
            )
        cursor.execute("DROP FUNCTION pg_temp.open_until")


class Migration(migrations.Migration):
    dependencies = [("conversations", "0030_at_closure")]

    operations = [
        migrations.RunSQL([PATIENTLY, ROLES], migrations.RunSQL.noop),
        migrations.RunPython(measure, migrations.RunPython.noop),
        migrations.RunSQL([AT_ONCE], migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="conversation", name="closed_by_website"),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=["website", "closed_at"],
                include=(
                    *("id", "opened_at", "first_human_reply_at", "group", "queue", "rule"),
                    *("style", "language", "last_holder", "contact_count", "changed_hands"),
                    *("is_begun_by_bot", "payee", "payee_role", "open_response_seconds"),
                    *("open_resolution_seconds", "close_reason", "closed_by"),
                ),
                name="closed_by_website",
            ),
        ),
    ]
