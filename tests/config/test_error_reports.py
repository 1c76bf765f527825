"""Reports of errors: they arrive, with what finds the fault and without what people wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from config import error_reports
from core import log_context, request_ids
from tests.browser.product import ROOT
from tests.http_receiver import receiving

WORD = "Quintessenzia"

FAILS = f"""
import django, logging
django.setup()
from core import log_context, request_ids

def fail(typed):
    raise ValueError(f"cannot read {{typed}}")

with request_ids.named("request-7"), log_context.begun():
    log_context.note(conversation=42, user=3)
    try:
        fail("{WORD}")
    except ValueError:
        logging.getLogger("routing").exception("bot of conversation %s said %s", 42, "{WORD}")
    logging.getLogger("routing").warning("only a warning: {WORD}")
"""


def run(script: str, var: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    named = {"ENV_FILE": os.devnull, "DEMO": "on", "VAR": str(var)}
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **named, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_an_error_is_reported_without_what_people_wrote(tmp_path: Path) -> None:
    with receiving() as received:
        done = run(FAILS, tmp_path, SENTRY_DSN=f"http://key@127.0.0.1:{received.port}/7")
    assert done.returncode == 0, done.stderr
    [(path, envelope)] = received.posts
    assert path == "/api/7/envelope/"
    assert WORD.encode() not in envelope
    report = json.loads(envelope.splitlines()[2])
    assert report["tags"] == {"request": "request-7", "conversation": "42"}
    assert report["user"] == {"id": "3"}
    assert report["release"].startswith("causerie@")
    assert report["logentry"] == {"message": "bot of conversation %s said %s"}
    [error] = report["exception"]["values"]
    assert error["type"] == "ValueError"
    frames = error["stacktrace"]["frames"]
    assert frames[-1]["function"] == "fail"
    assert frames[-1]["lineno"] > 0
    assert WORD in done.stderr  # it is in our own log


def test_without_a_dsn_nothing_is_loaded(tmp_path: Path) -> None:
    script = "import django, sys\ndjango.setup()\nassert 'sentry_sdk' not in sys.modules\n"
    done = run(script, tmp_path, SENTRY_DSN="")
    assert done.returncode == 0, done.stderr


def test_a_report_has_nothing_that_is_not_allowed() -> None:
    frame = {"filename": "a.py", "function": "f", "lineno": 3, "vars": {"name": WORD}}
    event = {
        "event_id": "1",
        "level": "error",
        "request": {"url": f"https://x/?q={WORD}", "headers": {"Cookie": WORD}},
        "user": {"email": WORD, "ip_address": "192.0.2.1"},
        "breadcrumbs": {"values": [{"message": WORD}]},
        "extra": {"x": WORD},
        "server_name": "machine",
        "logentry": {"message": "broken %s", "formatted": f"broken {WORD}", "params": [WORD]},
        "exception": {
            "values": [{"type": "KeyError", "value": WORD, "stacktrace": {"frames": [frame]}}]
        },
    }
    with request_ids.named("request-7"), log_context.begun():
        report = error_reports.compose(event, {})
    assert WORD not in json.dumps(report)
    assert set(report) == {"event_id", "level", "tags", "logentry", "exception"}
    [error] = report["exception"]["values"]
    assert error["stacktrace"]["frames"] == [{"filename": "a.py", "function": "f", "lineno": 3}]
