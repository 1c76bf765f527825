"""The page views' endpoint, called as embed.js does: by real ASGI, from snapshots, cheaply."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator
from django.core.cache import cache
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils import timezone
from redis.exceptions import ConnectionError as ValkeyIsAway

from accounts.models import Website
from config.application import http
from messenger.asgi import page_views
from routing import changes, snapshot_cache, snapshots
from routing.models import HourlyDemand, RuleStep, TargetingRule
from tests.factories import TargetingRuleFactory, queued

pytestmark = pytest.mark.django_db(transaction=True)

SHOP = "https://www.example.com"


@pytest_asyncio.fixture(autouse=True)
async def shelf() -> AsyncIterator[None]:
    """Start without copies of another test."""
    cache.clear()
    yield
    await snapshot_cache.close()
    await sync_to_async(connections.close_all)()


class Page:
    """A page of the brand that asks; ``engagement`` returns the answer."""

    def __init__(self, key: str = "celeste") -> None:
        self.path = f"/messenger/{key}/engagement/"
        self.headers: dict[str, str] = {}

    async def ask(
        self,
        *,
        method: str = "POST",
        origin: str | None = SHOP,
        body: str | None = None,
        **says: Any,
    ) -> tuple[int, Any]:
        sent = {"url": f"{SHOP}/", "language": "en"} | says
        headers = {"Host": "testserver", "Content-Type": "text/plain;charset=UTF-8"}
        headers |= {"Origin": origin} if origin is not None else {}
        headers |= {"Accept-Language": "en"}
        asked = HttpCommunicator(
            http,
            method,
            self.path,
            body=(json.dumps(sent) if body is None else body).encode(),
            headers=[(name.lower().encode(), value.encode()) for name, value in headers.items()],
        )
        answer = await asked.get_response(timeout=10)
        self.headers = {name.decode(): value.decode() for name, value in answer["headers"]}
        return answer["status"], json.loads(answer["body"])

    async def engagement(self, **says: Any) -> dict[str, Any]:
        status, answer = await self.ask(**says)
        assert status == 200, answer
        read: dict[str, Any] = answer
        return read


@pytest.fixture
def page(website: Website) -> Page:
    return Page()


in_thread: Callable[..., Any] = sync_to_async


async def test_a_page_of_the_website_may_engage(page: Page, step: RuleStep) -> None:
    rule = await TargetingRule.objects.aget()
    assert await page.engagement() == {
        "engage": True,
        "stays_open": True,
        "asynchronous": True,
        "targeting": rule.pk,
        "notification": {"kind": "button", "text": ""},
        "style": "--accent: #2f5d50; --on-accent: #ffffff; --inset: auto 20px",
        "brand": "Maison Céleste",
        "labels": {
            "open": "Open the chat",
            "minimize": "Minimise the chat",
            "one": "1 new message",
            "many": "{n} new messages",
            "dismiss": "Dismiss this message",
            "frame": "Chat with Maison Céleste",
        },
    }
    assert page.headers["access-control-allow-origin"] == SHOP
    assert page.headers["vary"] == "Origin"
    assert page.headers["cache-control"] == "no-store"
    assert (await page.engagement(language="fr"))["labels"]["open"] != "Open the chat"


async def test_a_refusal_includes_its_reason(page: Page, website: Website, step: RuleStep) -> None:
    await in_thread(queued)(step)
    answer = await page.engagement()
    assert (answer["engage"], answer["reason"]) == (False, "no_room")
    await TargetingRule.objects.aupdate(is_enabled=False)
    await in_thread(changes.rule_changed)(website.pk)
    await asyncio.sleep(snapshot_cache.LOOK)
    answer = await page.engagement()
    assert (answer["engage"], answer["reason"], "targeting" in answer) == (False, "no_rule", False)


async def test_a_closed_group_includes_its_opening_time(
    page: Page, website: Website, step: RuleStep
) -> None:
    group, opens = step.group, timezone.now() + timedelta(minutes=30)
    group.is_open, group.keeps_places_when_closed, group.hours_change_at = False, False, opens
    await group.asave()
    answer = await page.engagement()
    assert (answer["engage"], answer["reason"]) == (False, "closed")
    assert answer["opens_at"] == opens.isoformat()
    assert 1790 <= answer["again_in"] <= 1800
    assert answer["shows"] is False


async def test_a_closed_group_shows_the_button_if_enabled_and_its_opening_is_known(
    page: Page, website: Website, step: RuleStep
) -> None:
    await TargetingRule.objects.aupdate(shows_when_closed=True)
    assert "shows" not in await page.engagement()  # it is open: that is an engagement
    group = step.group
    group.is_open, group.keeps_places_when_closed = False, False
    for opens, shows in ((timezone.now() + timedelta(minutes=30), True), (None, None)):
        group.hours_change_at = opens
        await group.asave()
        await in_thread(changes.rule_changed)(website.pk)
        await asyncio.sleep(snapshot_cache.LOOK)
        answer = await page.engagement()
        assert (answer["engage"], answer["reason"], answer.get("shows")) == (False, "closed", shows)


async def test_the_first_matching_targeting_rule_applies(
    page: Page, website: Website, step: RuleStep
) -> None:
    everywhere = await TargetingRule.objects.aget()
    cart = await in_thread(TargetingRuleFactory)(
        rule=step.rule,
        pages_included=["/cart/*"],
        seconds_on_page=20,
        texts={"fr": "Une question ?", "en": "Any question?"},
    )
    await TargetingRule.objects.filter(pk=everywhere.pk).aupdate(position=cart.position + 1)
    answer = await page.engagement(url=f"{SHOP}/cart/", seconds=5)
    assert (answer["targeting"], answer["again_in"]) == (everywhere.pk, 15)
    answer = await page.engagement(url=f"{SHOP}/cart/", seconds=20)
    assert answer["targeting"] == cart.pk
    assert answer["notification"] == {"kind": "text", "text": "Any question?"}
    answer = await page.engagement(url=f"{SHOP}/cart/", seconds=20, language="de")
    assert answer["notification"]["text"] == "Une question ?"  # the website's own language
    assert (await page.engagement(url=f"{SHOP}/lamps/", seconds=20))["targeting"] == everywhere.pk


async def test_only_the_domains_of_the_website_are_accepted(page: Page, step: RuleStep) -> None:
    for origin in (
        SHOP,
        "https://fr.shop.example.com",
        "http://localhost:8000",
        "http://testserver",  # the Messenger itself
    ):
        assert (await page.ask(origin=origin))[0] == 200
        assert page.headers["access-control-allow-origin"] == origin
    for foreign in (
        "https://evil.example",
        "https://www.example.com.evil.example",
        "http://localhost:8001",
        "null",
        "https://[",
        None,
    ):
        answered, body = await page.ask(origin=foreign)
        assert (answered, body["error"]["code"]) == (403, "origin")
        assert "access-control-allow-origin" not in page.headers


async def test_invalid_methods_and_bodies_are_refused(page: Page, step: RuleStep) -> None:
    for method in ("GET", "DELETE"):
        answered, body = await page.ask(method=method)
        assert (answered, body["error"]["code"]) == (405, "method")
        assert page.headers["allow"] == "POST"
    for body, status, code in (
        ("", 400, "invalid"),
        ("{", 400, "invalid"),
        ("[]", 400, "invalid"),
        ('{"url": "' + "x" * 70_000 + '"}', 413, "too_long"),
    ):
        answered, answer = await page.ask(body=body)
        assert (answered, answer["error"]["code"]) == (status, code)


async def test_invalid_page_data_is_ignored(page: Page, step: RuleStep) -> None:
    answer = await page.engagement(url=7, language=None, device=[], pages="x", data={"a": {"b": 1}})
    assert answer["engage"] is True


async def test_an_unknown_key_is_a_404(website: Website) -> None:
    answered, body = await Page("nobody").ask()
    assert (answered, body["error"]["message"]) == (404, "No website has this key.")


# --- From a snapshot --------------------------------------------------------------------------


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count how often a snapshot was taken, and whatever else queries the database."""
    taken: list[str] = []
    take = snapshots.take

    def noted(key: str, **when: Any) -> snapshots.Snapshot | None:
        taken.append(key)
        return take(key, **when)

    monkeypatch.setattr(snapshots, "take", noted)
    return taken


async def test_a_cached_answer_takes_no_database_query(
    page: Page, step: RuleStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await page.engagement()

    def forbidden(*_args: object, **_more: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(DatabaseWrapper, "ensure_connection", forbidden)
    monkeypatch.setattr(DatabaseWrapper, "_cursor", forbidden)
    for _ in range(3):
        assert await page.engagement() == first
        await asyncio.sleep(0.07)  # so that the copy in Valkey is checked too
    monkeypatch.undo()


async def test_simultaneous_requests_take_one_snapshot(
    page: Page, step: RuleStep, database: list[str]
) -> None:
    answers = await asyncio.gather(*(Page().engagement() for _ in range(50)))
    assert {answer["engage"] for answer in answers} == {True}
    assert database == ["celeste"]


async def test_processes_share_a_snapshot_that_one_of_them_renews(
    page: Page, step: RuleStep, database: list[str]
) -> None:
    """Two shelves stand for two processes."""
    one, other = snapshot_cache.Shelf(), snapshot_cache.Shelf()
    try:
        now = timezone.now()
        snapshots = await asyncio.gather(*(s.get("celeste", at=now) for s in (one, other) * 5))
        assert len({snapshot.encode() for snapshot in snapshots if snapshot}) == 1
        assert database == ["celeste"]
        began = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() - began < 2.5:
            await asyncio.gather(*(s.get("celeste", at=timezone.now()) for s in (one, other)))
            await asyncio.sleep(0.03)
        assert 2 <= len(database) - 1 <= 3  # once a second
    finally:
        await one.close()
        await other.close()


async def test_no_answer_is_older_than_two_seconds(page: Page, step: RuleStep) -> None:
    assert (await page.engagement())["engage"] is True
    await in_thread(queued)(step)
    began = asyncio.get_running_loop().time()
    while (await page.engagement())["engage"]:
        assert asyncio.get_running_loop().time() - began < snapshot_cache.LIMIT
        await asyncio.sleep(0.05)


async def test_a_changed_setting_applies_at_once_in_every_process(
    page: Page, website: Website, step: RuleStep
) -> None:
    """R216: no process keeps using an earlier answer."""
    shelves = [snapshot_cache.Shelf() for _ in range(3)]
    try:
        for places in (0, 5, 0, 5):
            for one in shelves:
                await one.get("celeste", at=timezone.now())
            await RuleStep.objects.aupdate(places=places)
            await in_thread(changes.rule_changed)(website.pk)
            await asyncio.sleep(snapshot_cache.LOOK)
            for one in shelves:
                snapshot = await one.get("celeste", at=timezone.now())
                assert snapshot is not None
                assert [room.has_room for room in snapshot.rooms.values()] == [places > 0]
    finally:
        for one in shelves:
            await one.close()


async def test_a_snapshot_from_before_a_change_is_not_shared(
    website: Website, step: RuleStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow process must not overwrite a newer copy with an old one."""
    slow, quick = snapshot_cache.Shelf(), snapshot_cache.Shelf()
    take = snapshots.take

    def change_meanwhile(key: str, **when: Any) -> snapshots.Snapshot | None:
        old = take(key, **when)
        monkeypatch.setattr(snapshots, "take", take)
        RuleStep.objects.update(places=0)
        changes.rule_changed(website.pk)
        return old

    monkeypatch.setattr(snapshots, "take", change_meanwhile)
    try:
        await slow.get("celeste", at=timezone.now())
        snapshot = await quick.get("celeste", at=timezone.now())
        assert snapshot is not None
        assert not any(room.has_room for room in snapshot.rooms.values())
    finally:
        await slow.close()
        await quick.close()


async def test_without_valkey_the_database_is_queried_once_a_second(
    page: Page, step: RuleStep, database: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_args: object, **_more: object) -> None:
        raise ValkeyIsAway

    monkeypatch.setattr(snapshot_cache.shelf(), "_look_up", away)
    for _ in range(20):
        assert (await page.engagement())["engage"] is True
    assert database == ["celeste"]


async def test_without_the_database_requests_fail_with_503_after_the_cache_expires(
    page: Page, step: RuleStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_more: object) -> None:
        raise OSError("no route to the database")

    await page.engagement()
    monkeypatch.setattr(snapshots, "take", away)
    assert (await page.engagement())["engage"] is True  # from the copy that is still valid
    await asyncio.sleep(snapshot_cache.LIMIT)
    for _ in range(3):
        answered, body = await page.ask()
        assert (answered, body["error"]["code"]) == (503, "unavailable")
        assert page.headers["retry-after"] == "2"
    monkeypatch.undo()
    await asyncio.sleep(snapshot_cache.RENEWED)
    assert (await page.engagement())["engage"] is True


async def test_a_snapshot_is_unchanged_after_encoding_and_decoding(
    website: Website, step: RuleStep
) -> None:
    await in_thread(TargetingRuleFactory)(
        rule=step.rule,
        pages_included=["/a", "/b*"],
        devices=["phone"],
        texts={"fr": "Ça va ?", "en": ""},
    )
    snapshot = await in_thread(snapshots.take)("celeste", at=timezone.now())
    assert snapshots.Snapshot.decode(snapshot.encode()) == snapshot


async def test_pages_are_counted_by_rule_and_hour(
    page: Page, step: RuleStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    for again in (False, False, True):
        await page.engagement(again=again)
    monkeypatch.setattr(page_views, "WRITE_SECONDS", -1.0)
    await page.engagement()
    await page_views._tallies[asyncio.get_running_loop()].writing  # type: ignore[misc]
    demand = await HourlyDemand.objects.aget(rule_id=step.rule_id)
    assert (demand.pages_engaged, demand.pages_refused) == (3, 0)
