"""Page views, and what is known of a visitor: only after consent, bounded, deleted, never
markup."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from conversations.agents import drafts
from conversations.models import Draft, Profile, SeenPage, Visitor
from conversations.visitors import page_views
from conversations.visitors.page_views import Seen
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, VisitorFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
DAY = timedelta(days=1)


@pytest.fixture
def visitor() -> Visitor:
    return VisitorFactory(token="word")


def post_view(visitor: Visitor, token: str = "word", **data: Any) -> int:
    """Post a page view as the Messenger does from a page of the site; return the status."""
    answer = Client(REMOTE_ADDR="81.2.69.142").post(
        f"/messenger/{visitor.website.key}/seen/",
        {"url": "https://shop.example/a", "title": "A", "referrer": "", "view": {}} | data,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    return answer.status_code


def test_a_repeated_page_view_is_stored_once(visitor: Visitor) -> None:
    view = {"device": "phone", "language": "fr-FR", "data": {"cart.total": 80, "vip": True}}
    for _ in range(2):
        assert post_view(visitor, view=view, referrer="https://search.example/?q=lamp") == 204
    assert (
        post_view(visitor, url="https://shop.example/b", referrer="https://shop.example/a") == 204
    )
    assert [page.url for page in page_views.pages_of(visitor.pk)] == [
        "https://shop.example/b",
        "https://shop.example/a",
    ]
    profile = page_views.profile_of(visitor.pk)
    assert profile is not None
    assert (profile.referrer, profile.device) == ("https://search.example/?q=lamp", "")
    assert (profile.data, profile.place) == ({}, "")


@pytest.mark.parametrize("token", ["", "another"])
def test_nothing_is_stored_without_consent(visitor: Visitor, token: str) -> None:
    assert post_view(visitor, token) == 401
    assert not SeenPage.objects.exists()
    assert not Profile.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {"url": "javascript:alert(1)"},
        {"url": "https://x/" + "a" * 2000},
        {"url": 7, "title": [], "view": "x"},
        {"url": "https://x/\x00"},
    ],
)
def test_invalid_page_views_are_not_stored(visitor: Visitor, data: dict[str, Any]) -> None:
    assert post_view(visitor, **data) == 204
    assert not SeenPage.objects.exists()


def test_text_is_stored_without_invalid_characters(visitor: Visitor) -> None:
    view = {"data": {"a\x00b": "x\x00y"}, "language": "fr\x00"}
    assert post_view(visitor, title="  A\x00 \n B " + "x" * 300, view=view) == 204
    assert page_views.pages_of(visitor.pk)[0].title == ("A B " + "x" * 300)[:200]
    assert Profile.objects.get().data == {"ab": "xy"}


def test_stored_pages_are_limited(visitor: Visitor) -> None:
    for number in range(page_views.MAX_PAGES + 3):
        page_views.see(visitor.pk, Seen(url=f"https://shop.example/{number}"), at=NOW)
    assert [page.url[-2:] for page in page_views.pages_of(visitor.pk)][:2] == ["52", "51"]
    assert SeenPage.objects.count() == page_views.MAX_PAGES


def test_old_pages_and_drafts_are_deleted(visitor: Visitor, settings: Any) -> None:
    from conversations.tasks import forget_traces

    settings.PAGE_DAYS = settings.DRAFT_DAYS = 30
    agent, step = AgentFactory(), StepFactory()
    for age, url in ((31, "old"), (29, "new")):
        number = on_desk(step, agent).pk
        page_views.see(visitor.pk, Seen(url=url), at=_now() - age * DAY)
        drafts.save(agent.pk, number, url, at=_now() - age * DAY)
    assert forget_traces() == 2
    assert [page.url for page in SeenPage.objects.all()] == ["new"]
    assert [draft.body for draft in Draft.objects.all()] == ["new"]
    assert Profile.objects.count() == 1  # it was sent again with the later page


def _now() -> Any:
    from conversations.lifecycle.deadlines import database_now

    return database_now()


def test_the_desk_shows_pages_and_profile_escaped(visitor: Visitor) -> None:
    step = StepFactory(rule__website=visitor.website)
    agent = AgentFactory()
    step.group.members.add(agent)
    conversation = on_desk(step, agent, visitor=visitor)
    for number in range(7):
        page_views.see(
            visitor.pk,
            Seen(
                url=f"https://shop.example/{number}",
                title=f"<img src=x onerror=alert({number})>",
                referrer="javascript:alert(1)//",
                device="phone",
                place="Lyon <b>",
                data={"<i>cart</i>": "<script>", "vip": True},
            ),
            at=NOW,
        )
    client = Client(headers={"HX-Request": "true"})
    client.force_login(agent.user)
    shown = client.get(f"/desk/c/{conversation.pk}/toolbar/").content.decode()
    for text in ("Phone", "Lyon &lt;b&gt;", "2 older pages", "&lt;i&gt;cart", "yes"):
        assert text in shown
    for markup in ("<img", "<i>cart", "<script", 'href="javascript'):
        assert markup not in shown


def test_a_page_view_takes_few_queries(
    visitor: Visitor, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    post_view(visitor)
    with django_assert_max_num_queries(12):
        assert post_view(visitor, url="https://shop.example/b") == 204


# --- Places -----------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path: Path, settings: Any) -> Path:
    writer = MMDBWriter(ip_version=4, database_type="Test-City")
    city = {"names": {"en": "Lyons", "fr": "Lyon"}}
    lyon = {"city": city, "country": {"names": {"en": "France"}}}
    writer.insert_network(IPSet(["81.2.69.0/24"]), lyon)
    path = tmp_path / "places.mmdb"
    writer.to_db_file(str(path))
    settings.PLACE_DATABASE, settings.PLACE_HEADER = str(path), ""
    return path


@pytest.mark.parametrize(
    ("is_shown", "address", "place"),
    [(True, "81.2.69.142", "Lyon, France"), (True, "10.0.0.1", ""), (False, "81.2.69.142", "")],
)
def test_the_place_comes_from_the_file_if_the_website_shows_it(
    visitor: Visitor, places: Path, rf: Any, is_shown: bool, address: str, place: str
) -> None:
    from messenger.geolocation import place_of

    visitor.website.shows_place = is_shown
    assert place_of(rf.post("/", REMOTE_ADDR=address), visitor.website) == place


@pytest.mark.parametrize("content", [b"", b"no database"])
def test_an_invalid_file_or_address_gives_no_place(
    visitor: Visitor, places: Path, rf: Any, content: bytes
) -> None:
    from messenger.geolocation import place_of

    visitor.website.shows_place = True
    assert place_of(rf.post("/", REMOTE_ADDR="unix:"), visitor.website) == ""
    places.write_bytes(content)
    assert place_of(rf.post("/", REMOTE_ADDR="81.2.69.142"), visitor.website) == ""


def test_the_place_can_come_from_a_proxy_header(visitor: Visitor, rf: Any, settings: Any) -> None:
    from messenger.geolocation import place_of

    settings.PLACE_HEADER = "X-City"
    visitor.website.shows_place = True
    asked = rf.post("/", headers={"X-City": "  Lyon \t FR" + "x" * 200})
    assert place_of(asked, visitor.website) == ("Lyon FR" + "x" * 200)[:100]


def test_the_agents_desk_is_notified(
    visitor: Visitor, django_capture_on_commit_callbacks: Any
) -> None:
    from config import wiring
    from conversations.facts import VisitorBrowsed
    from core.events import bus

    facts: list[VisitorBrowsed] = []

    async def receive(fact: VisitorBrowsed) -> None:
        facts.append(fact)

    step = StepFactory(rule__website=visitor.website)
    agent = AgentFactory()
    conversation = on_desk(step, agent, visitor=visitor)
    bus.on(VisitorBrowsed, receive)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            page_views.see(visitor.pk, Seen(url="https://x/"), at=NOW)
    finally:
        wiring.connect()
    assert facts == [VisitorBrowsed(conversation.pk, agent.pk)]


def test_withdrawn_consent_deletes_pages_and_profile(visitor: Visitor) -> None:
    from conversations.models import Consent, ConsentKind
    from conversations.visitors import persons

    assert post_view(visitor) == 204
    withdrawn = Consent(kind=ConsentKind.WITHDRAWN, language="fr", text="", given_at=NOW)
    persons.record(visitor, withdrawn)
    assert post_view(visitor, url="https://shop.example/b") == 204
    assert not SeenPage.objects.exists()
    assert not Profile.objects.exists()
