"""Measure how long suggestions take among many past answers: ``python -m bench.suggestions``.

Uses a PostgreSQL of its own in a scratch folder, with questions of 5 to 16 words drawn from 6,000
by Zipf's law, as in natural language, so that common words are in many of them.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROWS = 100_000
WORDS = 6_000
ASKED = 200
SYLLABLES = [*re.findall("..", "bacedilomunaperisotuvaxi"), "jou", "rai", "gle", "ton", "que"]

INSERT = """
    INSERT INTO conversations_pastanswer
        (website_id, conversation_id, seq, language, question, answer, words)
    VALUES (1, %s, %s, 'fr', %s, %s, to_tsvector('french', %s))
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.suggestions", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="past answers")
    parser.add_argument("--plan", action="store_true", help="print a plan as well")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="causerie-bench-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL's user must be able to pass through.
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ENV_FILE": os.devnull,
            "VAR": folder,
        }
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        from config import engines

        own = {"postgres": settings.OWN_POSTGRES, "valkey": settings.OWN_VALKEY}
        with engines.running(Path(folder), **own):
            call_command("migrate", verbosity=0)
            measure(options.rows, is_told=options.plan)
    return 0


def measure(rows: int, *, is_told: bool) -> None:
    """Fill the table, run the queries, and print how long they took."""
    from django.db import connection

    from conversations.models import PastAnswer
    from conversations.suggestions import finding

    chance = random.Random(7)
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _n in range(WORDS)]
    weights = [1 / rank for rank in range(1, WORDS + 1)]

    def question() -> str:
        return " ".join(chance.choices(words, weights, k=chance.randint(5, 16)))

    indexes = PastAnswer._meta.indexes
    with connection.schema_editor() as schema, connection.cursor() as cursor:
        # disables foreign keys: no conversations are needed
        cursor.execute("SET session_replication_role = replica")
        for index in indexes:
            schema.remove_index(PastAnswer, index)
        for start in range(0, rows, 5000):
            some = [question() for _n in range(min(5000, rows - start))]
            lines = [(n, 1, text, f"Answer {n}", text) for n, text in enumerate(some, start)]
            cursor.executemany(INSERT, lines)
        for index in indexes:
            schema.add_index(PastAnswer, index)
        cursor.execute("SET session_replication_role = DEFAULT")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE conversations_pastanswer")
    for kind, wording in (("as others ask", question), ("misspelt", lambda: misspelt(question()))):
        took = []
        for _n in range(ASKED):
            values = _values(wording())
            began = time.perf_counter()
            finding._answers(values)
            took.append(1000 * (time.perf_counter() - began))
        took.sort()
        middle, p95 = statistics.median(took), took[int(0.95 * ASKED)]
        print(f"{kind}: median {middle:.0f} ms, p95 {p95:.0f} ms, the slowest {took[-1]:.0f} ms")
    if is_told:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {finding.ANSWERS}", _values(question()))
            print("\n".join(line for (line,) in cursor.fetchall()))


def misspelt(question: str) -> str:
    """Drop the third letter of each word."""
    return " ".join(word[:2] + word[3:] for word in question.split())


def _values(question: str) -> dict[str, Any]:
    return {"config": "french", "question": question, "website": 1, "language": "fr"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
