"""Exports whose worker really dies half-way: the next one takes them over and finishes them."""

from __future__ import annotations

import csv
import io
import signal
import time
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import psutil
import psycopg
import pytest
from playwright.sync_api import Page, expect

from config import engines
from tests.browser.conftest import Crowd
from tests.browser.product import Product

DAYS = ("2026-03-02", "2026-03-03", "2026-03-04")
QUERY = f"period=custom&first={DAYS[0]}&last={DAYS[-1]}&website=1"
TABLE = "reporting_transaction"
PATIENCE_SECONDS = 60  # for a busy machine
WAITING = f"""
    SELECT count(*) FROM pg_locks
    WHERE relation = '{TABLE}'::regclass AND NOT granted AND mode = %s
"""


def until(condition: Callable[[], Any]) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up, "it takes too long"
        time.sleep(0.01)


class Turnstile:
    """Lets the worker query the table of purchases one statement at a time: the next in line for
    its lock gets it, first the worker, then the test again. A query waits at most two seconds."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.closed = self._connected()

    def close(self) -> None:
        self._lock(self.closed)

    def _connected(self) -> psycopg.Connection[Any]:
        return psycopg.connect(engines.database_url(self.product.var))

    def _lock(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")

    def wait_for_a_question(self) -> None:
        until(lambda: self.product.rows(WAITING, "AccessShareLock") != [(0,)])

    def let_one_pass(self) -> None:
        behind = self._connected()
        closing = Thread(target=self._lock, args=[behind])
        closing.start()
        until(lambda: self.product.rows(WAITING, "AccessExclusiveLock") != [(0,)])
        self.open()
        closing.join()
        self.closed = behind

    def open(self) -> None:
        self.closed.close()


@pytest.fixture
def purchases(product: Product, crowd: Crowd) -> Iterator[None]:
    """Create one on each of three days; setting up the crowd empties the tables."""
    for number, day in enumerate(DAYS, 1):
        product.rows(
            f"""INSERT INTO {TABLE} (website_id, external_id, amount, refunded, currency, made_at,
                    origin, recorded_at, outcome, delay)
                VALUES (1, %s, 10, 0, 'EUR', %s, 'api', now(), 'unknown_visitor', '30 days')
                RETURNING id""",
            f"CMD-{number}",
            f"{day} 12:00+01",
        )
    yield
    for table in (TABLE, "reporting_export"):
        product.rows(f"DELETE FROM {table} RETURNING id")


@pytest.fixture
def turnstile(product: Product, purchases: None) -> Iterator[Turnstile]:
    created = Turnstile(product)
    yield created
    created.open()


@pytest.fixture
def page(crowd: Crowd) -> Page:
    return crowd.agent("manager").log_in("/reports/exports/").page


def ask(page: Page, product: Product) -> None:
    """Do what the button of a long list does."""
    [token] = [one["value"] for one in page.context.cookies() if one["name"] == "csrftoken"]
    answer = page.request.post(
        f"{product.url}/reports/exports/transactions.csv?{QUERY}",
        headers={"X-CSRFToken": token, "Referer": product.url},
    )
    assert answer.ok


def workers(product: Product) -> list[psutil.Process]:
    """Return Celery's main process and its children."""
    assert product.process is not None
    family = psutil.Process(product.process.pid).children(recursive=True)
    first = next(one for one in family if "celery" in one.cmdline() and "worker" in one.cmdline())
    return [first, *first.children(recursive=True)]


def export(product: Product, columns: str) -> tuple[Any, ...]:
    [row] = product.rows(f"SELECT {columns} FROM reporting_export")
    return row


def write_half(page: Page, product: Product, turnstile: Turnstile) -> None:
    """Stop when two of three days are in the file, and the worker queries the last one's rows."""
    turnstile.close()
    ask(page, product)
    for _question in ("how many", *DAYS[:2]):
        turnstile.wait_for_a_question()
        turnstile.let_one_pass()
    turnstile.wait_for_a_question()


def expect_complete_file(page: Page, product: Product) -> None:
    page.reload()
    link = page.get_by_role("link", name="Download")
    expect(link).to_be_visible(timeout=1000 * PATIENCE_SECONDS)
    with page.expect_download() as download:
        link.click()
    text = download.value.path().read_text("utf-8-sig")
    numbers = [line["Number"] for line in csv.DictReader(io.StringIO(text), delimiter=";")]
    assert numbers == ["CMD-1", "CMD-2", "CMD-3"]


@pytest.mark.parametrize("victims", ["all", "children"])
def test_export_survives_a_killed_worker(
    page: Page, product: Product, turnstile: Turnstile, victims: str
) -> None:
    """All processes, as in a power cut; only the children, as by a kernel that is out of memory."""
    write_half(page, product, turnstile)
    doomed = workers(product)[slice(0 if victims == "all" else 1, None)]
    for one in doomed:
        one.send_signal(signal.SIGKILL)
    psutil.wait_procs(doomed, timeout=PATIENCE_SECONDS)
    turnstile.open()

    state, attempts, total, file = export(product, "state, attempts, total, file")
    assert (state, attempts, total) == ("running", 1, 3)
    page.reload()
    expect(page.get_by_label("of 3 rows")).to_be_visible()  # what its owner sees meanwhile
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    # As if it had died a moment later, while saving the file.
    half = product.var / "media" / file
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_bytes(b"half")
    # And as if a minute had passed in which nobody extended the lease.
    product.rows("UPDATE reporting_export SET leased_until = now() RETURNING id")
    expect_complete_file(page, product)
    assert not half.exists()
    assert export(product, "state, attempts, written") == ("done", 2, 3)
    assert (product.var / "media" / export(product, "file")[0]).exists()


def test_export_survives_a_worker_shutdown(
    page: Page, product: Product, turnstile: Turnstile
) -> None:
    write_half(page, product, turnstile)
    ended = product.log.read_text().count("worker ended with code 0")
    shutdowns = product.log.read_text().count("Warm shutdown")
    workers(product)[0].send_signal(signal.SIGTERM)
    until(lambda: product.log.read_text().count("Warm shutdown") > shutdowns)
    turnstile.let_one_pass()
    until(lambda: product.log.read_text().count("worker ended with code 0") > ended)
    assert export(product, "state, attempts, leased_until") == ("waiting", 0, None)
    turnstile.open()
    expect_complete_file(page, product)
    assert export(product, "state, attempts, written") == ("done", 1, 3)
