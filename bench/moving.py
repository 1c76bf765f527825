"""Measure an import and an export of many conversations: ``python -m bench.moving``.

Uses a PostgreSQL of its own in a scratch folder. Each conversation has a person of its own for
every third, six messages of some twenty words drawn from 6,000 by Zipf's law, and a note in ten.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.suggestions import SYLLABLES

CONVERSATIONS = 20_000
MESSAGES = 6
WORDS = 6_000
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
KEY = "bench"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.moving", description=__doc__)
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS)
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
            measure(Path(folder), options.conversations)
    return 0


def measure(folder: Path, conversations: int) -> None:
    from django.core.management import call_command

    from accounts.models import Website

    for key in (KEY, "copy"):
        Website.objects.create(key=key, name=key, domains=["localhost"], language="fr")
    path = folder / "moving" / "history.jsonl"
    path.parent.mkdir()
    write(path, conversations)
    print(f"{conversations} conversations, {path.stat().st_size / 2**20:.0f} MB", flush=True)
    timed("import", conversations, lambda: call_command("import_history", KEY, path))
    timed("the same again", conversations, lambda: call_command("import_history", KEY, path))
    timed("export", conversations, lambda: call_command("export_all", KEY, folder / "out"))
    print(f"highest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def timed(name: str, conversations: int, act: Any) -> None:
    began, spent = time.monotonic(), time.process_time()
    act()
    took, own = time.monotonic() - began, time.process_time() - spent
    print(f"{name}: {took:.1f} s, {conversations / took:.0f} a second; {own:.1f} s of it here")


def write(path: Path, conversations: int) -> None:
    """Write the file. The random numbers are seeded: two runs import the same."""
    drawn = random.Random(42)
    words = ["".join(drawn.choices(SYLLABLES, k=drawn.randint(1, 4))) for _word in range(WORDS)]
    weights = [1 / rank for rank in range(1, WORDS + 1)]
    with path.open("w") as out:

        def put(**line: Any) -> None:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")

        put(type="history", version=1, source="bench")
        for n in range(20):
            put(type="agent", id=n, name=f"Agent {n}", email=f"agent{n}@example.com")
        for n in range(conversations):
            opened = BEGAN + timedelta(minutes=n)
            person = n // 3
            if n % 3 == 0:
                put(type="person", id=person, name=f"Person {person}", language="fr",
                    external_id=f"C-{person}", email=f"p{person}@example.com")  # fmt: skip
            closed = opened + timedelta(hours=1)
            put(type="conversation", id=n, person=person, agent=n % 20, closed_by="agent",
                opened_at=opened.isoformat(), closed_at=closed.isoformat())  # fmt: skip
            for m in range(MESSAGES):
                at = opened + timedelta(minutes=5 * m)
                body = " ".join(drawn.choices(words, weights, k=drawn.randint(8, 30)))
                author = {"author": "agent", "agent": n % 20} if m % 2 else {"author": "visitor"}
                put(type="message", conversation=n, id=m, body=body, at=at.isoformat(), **author)
            if n % 10 == 0:
                put(type="note", conversation=n, id=0, agent=1, body="rappeler demain",
                    at=closed.isoformat())  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
