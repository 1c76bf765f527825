"""``python -m bench.migration_locks``: how long people wait while a table of a million rows is
migrated, by the ways that ``tools/migrations.py`` advises and by those that it refuses."""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from config import engines

SET_UP = """
    CREATE TABLE words (
      id bigserial PRIMARY KEY, author integer NOT NULL, seq integer, body text NOT NULL
    );
    INSERT INTO words (author, seq, body)
    SELECT n % 1000, n, 'How long does it take to deliver number ' || n || '? I need it soon.'
    FROM generate_series(1, %s) AS n
"""
BATCH = "UPDATE words SET flagged = false WHERE id BETWEEN %s AND %s"
BATCH_ROWS = 5000
# Name, statements, and whether the check advises it.
WAYS: list[tuple[str, list[str], bool]] = [
    ("add a column that may be null", ["ALTER TABLE words ADD flagged boolean"], True),
    ("add a column with db_default", ["ALTER TABLE words ADD level int DEFAULT 0 NOT NULL"], True),
    ("fill a column in batches", [BATCH], True),
    ("index, concurrently", ["CREATE INDEX CONCURRENTLY a ON words (author)"], True),
    ("check, not valid", ["ALTER TABLE words ADD CONSTRAINT c CHECK (seq > 0) NOT VALID"], True),
    (
        "check of not null, not valid",
        ["ALTER TABLE words ADD CONSTRAINT n CHECK (seq IS NOT NULL) NOT VALID"],
        True,
    ),
    ("validate a check", ["ALTER TABLE words VALIDATE CONSTRAINT n"], True),
    ("not null, after that check", ["ALTER TABLE words ALTER seq SET NOT NULL"], True),
    ("drop a column", ["ALTER TABLE words DROP COLUMN level"], True),
    ("index", ["CREATE INDEX b ON words (author, seq)"], False),
    ("check, at once", ["ALTER TABLE words ADD CONSTRAINT d CHECK (length(body) > 0)"], False),
    ("not null, without a check", ["ALTER TABLE words ALTER flagged SET NOT NULL"], False),
    ("a volatile default", ["ALTER TABLE words ADD token uuid DEFAULT gen_random_uuid()"], False),
    ("another type", ["ALTER TABLE words ALTER author TYPE bigint"], False),
    ("all rows in one transaction", ["UPDATE words SET author = author + 1"], False),
]


@dataclass
class Writer:
    """Somebody who writes a new row and changes an old one, again and again."""

    address: str
    longest: float = 0.0
    is_over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        n = 0
        with psycopg.connect(self.address, autocommit=True) as connection:
            while not self.is_over.is_set():
                n += 1
                begun = time.perf_counter()
                connection.execute(
                    "INSERT INTO words (author, seq, body, flagged) VALUES (1, 1, 'new', false)"
                    if n % 2
                    else "UPDATE words SET body = 'changed' WHERE id = 77"
                )
                self.longest = max(self.longest, time.perf_counter() - begun)
                time.sleep(0.005)


def measured(address: str, statements: list[str], rows: int) -> tuple[float, float]:
    """Return how many seconds the statements took, and the longest that somebody waited."""
    writer = Writer(address)
    thread = threading.Thread(target=writer.run)
    with psycopg.connect(address, autocommit=True) as connection:
        if statements != WAYS[0][1]:  # before the first one, the writer's column is missing
            thread.start()
            time.sleep(0.2)
        begun = time.perf_counter()
        for statement in statements:
            if statement == BATCH:
                for first in range(1, rows + 1, BATCH_ROWS):
                    connection.execute(statement, [first, first + BATCH_ROWS - 1])
            else:
                connection.execute(statement)
        took = time.perf_counter() - begun
    writer.is_over.set()
    if thread.is_alive():
        thread.join()
    return took, writer.longest or took


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.migration_locks", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows: int = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="causerie-locks-") as folder:
        var = Path(folder) / "var"
        with engines.running(var, valkey=False):
            address = engines.database_url(var)
            with psycopg.connect(address, autocommit=True) as connection:
                for statement in SET_UP.replace("%s", str(rows)).split(";"):
                    connection.execute(statement)
                connection.execute("VACUUM ANALYZE words")
            print(f"| {rows:,} rows | advised | takes, s | somebody waits at most, s |")
            print("| --- | --- | ---: | ---: |")
            for name, statements, is_advised in WAYS:
                took, waited = measured(address, statements, rows)
                advised = "yes" if is_advised else "no"
                print(f"| {name} | {advised} | {took:.2f} | {waited:.2f} |", flush=True)


if __name__ == "__main__":
    main()
