"""Imported conversations are stored whole, once, marked, and apart from the figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection

from accounts.models import Agent, User, Website
from accounts.supervision import EVERYTHING
from conversations.lifecycle import invariants
from conversations.lifecycle.consistency import differences, windows
from conversations.models import (
    Address,
    Contact,
    Conversation,
    Event,
    FeedEntry,
    Message,
    Note,
    Person,
    Survey,
    Visitor,
)
from conversations.privacy import personal_data
from core.models import OutboxEntry
from desk import search
from desk.timeline import entries_of
from messenger.moving import importing
from reporting.figures import FIGURES, answers
from reporting.figures.period import Period
from reporting.figures.scope import Scope
from tests.clock import NOW
from tests.factories import AgentFactory, GroupFactory, UserFactory, VisitorFactory, WebsiteFactory
from tests.messenger.moving.histories import (
    AGENT,
    ANSWER,
    HEAD,
    NOTE,
    PERSON,
    QUESTION,
    STORY,
    TALK,
    import_lines,
    reasons,
    report_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
OPENED = datetime(2034, 1, 2, 9, tzinfo=UTC)
RATED = TALK | {"ratings": [{"csat": 4, "comment": "Merci", "answered_at": "2034-01-03T08:00:00Z"}]}
RATED_STORY = (HEAD, AGENT, PERSON, RATED, QUESTION, ANSWER)


@pytest.fixture
def website() -> Website:
    return WebsiteFactory(key="vases", time_zone="UTC")


def figure(website: Website, name: str) -> Any:
    """Return a figure of the day of the story."""
    day = Period(OPENED.date(), OPENED.date() + timedelta(days=2))
    scope = Scope((website,), day, supervised=EVERYTHING)
    return answers.total([FIGURES[name]], scope)[name].value


def test_a_conversation_is_stored_with_all_that_belongs_to_it(
    website: Website, tmp_path: Path
) -> None:
    said = import_lines(tmp_path, "vases", STORY)
    assert "conversation: 1 imported, 0 here before, 0 refused" in said
    assert report_of(tmp_path) == []
    talk = Conversation.objects.get()
    assert (talk.imported_from, talk.imported_id, talk.is_in_figures) == (
        "elsewhere",
        "4711",
        False,
    )
    assert (talk.status, talk.closed_by, talk.close_reason) == ("closed", "agent", "resolved")
    assert (talk.opened_at, talk.closed_at) == (OPENED, OPENED + timedelta(hours=1))
    assert talk.first_human_reply_at == OPENED + timedelta(minutes=5)
    assert talk.last_seq == talk.visitor_read_seq == 2
    alice = Agent.objects.get()
    messages = Message.objects.filter(conversation=talk).values_list("author", "agent", "body")
    assert list(messages) == [
        ("visitor", None, "Où est mon vase ?"),
        ("agent", alice.pk, "Il arrive demain."),
    ]
    assert Note.objects.get().body == "Client pressé"
    assert talk.visitor.name == "Mirabelle"
    person = Person.objects.get()
    assert (person.external_id, person.profile) == ("C-1", {"city": "Lyon"})
    address = Address.objects.get()
    assert (address.email, address.wants_mail) == ("mirabelle@example.com", False)
    assert not alice.user.is_active
    assert not alice.user.has_usable_password()
    told = Event.objects.get().data
    assert (told["tags"], told["data"]) == (["refund"], {"subject": "A vase"})


def test_ledger_figures_and_invariants_hold(website: Website, tmp_path: Path) -> None:
    import_lines(tmp_path, "vases", RATED_STORY)
    by_system = RATED | {"id": "2", "closed_by": "system"}
    answer = ANSWER | {"conversation": "2"}
    import_lines(tmp_path, "vases", (HEAD, AGENT, by_system, answer), "--count")
    # The account of an agent was made, which the outbox tells later.
    found = [one for one in invariants.findings(at=NOW) if one.check != "outbox"]
    assert found == []
    assert [row for low, high in windows() for row in differences(low, high)] == []
    assert not Contact.objects.exists()
    assert not Conversation.objects.exclude(payee=None).exists()


def test_figures_leave_it_out_unless_they_are_to_count_it(website: Website, tmp_path: Path) -> None:
    import_lines(tmp_path, "vases", RATED_STORY)
    names = ("opened", "closed", "first_response", "csat", "csat_answers")
    known = [name for name in names if name in FIGURES]
    assert {"closed", "first_response", "csat"} <= set(known)
    assert [figure(website, name) for name in known] == [
        0 if isinstance(figure(website, name), int) else None for name in known
    ]
    assert not Survey.objects.exists()
    other = WebsiteFactory(key="lamps", time_zone="UTC")
    import_lines(tmp_path, "lamps", RATED_STORY, "--count")
    assert figure(other, "closed") == 1
    assert figure(other, "first_response") == 300
    assert figure(other, "csat") == 100
    assert figure(website, "closed") == 0


def test_a_second_import_changes_nothing(website: Website, tmp_path: Path) -> None:
    import_lines(tmp_path, "vases", STORY)
    tables = (Conversation, Message, Note, Event, Visitor, Person, User, Address)
    before = [list(model.objects.order_by("pk").values()) for model in tables]
    said = import_lines(tmp_path, "vases", STORY)
    assert "conversation: 0 imported, 1 here before, 0 refused" in said
    assert [list(model.objects.order_by("pk").values()) for model in tables] == before
    assert report_of(tmp_path) == []


def test_a_message_that_came_later_is_refused_with_its_reason(
    website: Website, tmp_path: Path
) -> None:
    import_lines(tmp_path, "vases", STORY)
    import_lines(tmp_path, "vases", (*STORY, ANSWER | {"id": "m3", "body": "Encore ?"}))
    assert reasons(tmp_path, "refused") == {"m3": "its conversation was imported before without it"}


@pytest.mark.parametrize("crash", range(1, 4))
def test_an_interrupted_import_goes_on_where_it_stopped(
    crash: int, website: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talks = [
        line
        for number in range(4)
        for line in (
            TALK | {"id": str(number)},
            QUESTION | {"conversation": str(number)},
        )
    ]
    monkeypatch.setattr(importing, "CONVERSATIONS_AT_ONCE", 1)
    calls, store = 0, importing.Import._store

    def dies(self: Any, batch: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == crash:
            raise KeyboardInterrupt
        store(self, batch)

    monkeypatch.setattr(importing.Import, "_store", dies)
    with pytest.raises(KeyboardInterrupt):
        import_lines(tmp_path, "vases", (HEAD, AGENT, PERSON, *talks))
    assert Conversation.objects.count() == crash - 1
    said = import_lines(tmp_path, "vases", (HEAD, AGENT, PERSON, *talks))
    assert f"conversation: {5 - crash} imported, {crash - 1} here before" in said
    assert sorted(Conversation.objects.values_list("imported_id", flat=True)) == list("0123")
    assert Message.objects.count() == 4


def test_one_that_the_database_refuses_does_not_take_the_others_along(
    website: Website, tmp_path: Path
) -> None:
    """A name of a group that no form would let in, as another product may have it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE conversations_message ADD CONSTRAINT no_plums CHECK (body <> 'plum')"
        )
    other = TALK | {"id": "2"}
    bad = QUESTION | {"conversation": "2", "body": "plum"}
    silent = QUESTION | {"conversation": "3", "id": "m9", "body": ""}
    import_lines(tmp_path, "vases", (*STORY, other, bad, TALK | {"id": "3"}, silent))
    assert len(report_of(tmp_path)) == 3  # Not twice, although the batch was tried before.
    assert sorted(Conversation.objects.values_list("imported_id", flat=True)) == ["3", "4711"]
    assert reasons(tmp_path, "refused") == {
        "2": "the database refuses it: IntegrityError",
        "m1": "its conversation: the database refuses it: IntegrityError",
        "m9": "it says nothing",
    }


def test_nothing_is_announced(
    website: Website, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    AgentFactory(user__email="ALICE@example.com")
    with django_capture_on_commit_callbacks() as callbacks:
        import_lines(tmp_path, "vases", STORY)
    assert not OutboxEntry.objects.exists()
    assert not FeedEntry.objects.exists()
    assert callbacks == []


def test_an_agent_with_the_same_address_is_the_author(website: Website, tmp_path: Path) -> None:
    alice = AgentFactory(user__email="ALICE@example.com")
    import_lines(tmp_path, "vases", STORY)
    assert Message.objects.get(author="agent").agent == alice
    assert Note.objects.get().agent == alice
    assert User.objects.count() == 1


def test_a_group_of_the_same_name_has_it(website: Website, tmp_path: Path) -> None:
    group = GroupFactory(website=website, name="Ventes")
    import_lines(tmp_path, "vases", (HEAD, PERSON, TALK | {"group": "Ventes"}))
    assert Conversation.objects.get().group == group


def test_a_customer_who_is_known_keeps_what_is_known_here(website: Website, tmp_path: Path) -> None:
    person = Person.objects.create(
        website=website, external_id="C-1", name="Mira", profile={"city": "Nice"}, created_at=NOW
    )
    own = VisitorFactory(website=website, person=person, withdrawn_at=NOW, agrees=True)
    import_lines(tmp_path, "vases", STORY)
    person.refresh_from_db()
    assert (person.name, person.profile) == ("Mira", {"city": "Nice"})
    assert person.visitors.count() == 2
    assert Conversation.objects.get().visitor.person == person
    assert Conversation.objects.get().visitor.pk != own.pk
    assert "known here" in reasons(tmp_path, "changed")["p1"]


def test_words_are_found_at_the_desk(website: Website, tmp_path: Path) -> None:
    import_lines(tmp_path, "vases", STORY)
    admin = UserFactory(role="admin")
    number = Conversation.objects.get().pk
    for words in ("vase", "demain", "pressé", "mirabelle@example.com", "4711"):
        page = search.find(search.Search(text=words), admin)
        assert [row.conversation.pk for row in page.rows] == [number], words
    assert search.find(search.Search(text="zinnia"), admin).rows == []


def test_the_desk_says_where_it_comes_from(website: Website, tmp_path: Path) -> None:
    import_lines(tmp_path, "vases", STORY)
    assert [entry.sentence for entry in entries_of(Conversation.objects.get().pk)] == [
        "Imported from elsewhere, where its number is 4711"
    ]


def test_an_erased_person_does_not_come_back(website: Website, tmp_path: Path) -> None:
    import_lines(tmp_path, "vases", STORY)
    personal_data.erase(personal_data.of_person(Person.objects.get()), by=None, at=NOW)
    for model in (Conversation, Message, Note, Event, Visitor, Person, Address):
        assert not model._default_manager.exists(), model
    import_lines(tmp_path, "vases", STORY)
    assert not Conversation.objects.exists()
    assert not Visitor.objects.exists()
    refused = reasons(tmp_path, "refused")
    assert set(refused) == {"p1", "4711", "m1", "m2", "n1"}
    assert all("erased from this website" in reason for reason in refused.values())


def test_an_erased_visitor_without_a_name_does_not_come_back(
    website: Website, tmp_path: Path
) -> None:
    nameless = {name: value for name, value in TALK.items() if name != "person"}
    import_lines(tmp_path, "vases", (HEAD, nameless, QUESTION))
    personal_data.erase(personal_data.of_visitor(Visitor.objects.get()), by=None, at=NOW)
    import_lines(tmp_path, "vases", (HEAD, nameless, QUESTION))
    assert not Conversation.objects.exists()
    assert set(reasons(tmp_path, "refused")) == {"4711", "m1"}


def test_what_is_older_than_the_retention_period_is_refused(tmp_path: Path) -> None:
    WebsiteFactory(key="vases", retention_days=365)
    recent = TALK | {"id": "2", "closed_at": "2035-03-01T10:00:00Z"}
    import_lines(tmp_path, "vases", (HEAD, PERSON, TALK, QUESTION, recent))
    assert Conversation.objects.get().imported_id == "2"
    assert "retention period" in reasons(tmp_path, "refused")["4711"]
    # What came in ends with the retention period like everything else.
    website = Website.objects.get()
    assert not personal_data.expired(website, at=NOW).exists()
    assert personal_data.expired(website, at=NOW + timedelta(days=400)).count() == 1


def test_only_checking_stores_nothing(website: Website, tmp_path: Path) -> None:
    said = import_lines(tmp_path, "vases", (*STORY, NOTE | {"id": "n2", "body": ""}), "--check")
    assert "conversation: 1 imported" in said
    assert not Conversation.objects.exists()
    assert not Agent.objects.exists()
    assert reasons(tmp_path, "refused") == {"n2": "it says nothing"}


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (PERSON,),
        (HEAD | {"version": 2},),
        (HEAD | {"source": ""},),
        (HEAD | {"source": "x" * 31},),
        (b"\xff\xfe",),
    ],
)
def test_a_file_of_another_form_is_refused(
    lines: tuple[Any, ...], website: Website, tmp_path: Path
) -> None:
    with pytest.raises(CommandError):
        import_lines(tmp_path, "vases", lines)
    assert not Conversation.objects.exists()


def test_another_website_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No website has the key vases"):
        import_lines(tmp_path, "vases", STORY)
