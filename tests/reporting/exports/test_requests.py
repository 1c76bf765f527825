"""Files that a worker writes: taken once, continued, cancelled, retried, stored, protected."""

from __future__ import annotations

import csv
import io
import threading
import uuid
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core import mail
from django.core.files.storage import default_storage
from django.db import connection
from django.test import AsyncClient, Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Role, User
from config.celery import app
from conversations import surveys
from conversations.lifecycle import actors, deadlines, verbs
from conversations.messages import sending
from conversations.models import Author, CloseReason
from core import shutdown
from core.models import OutboxEntry
from reporting import tasks
from reporting.exports import conversations, export_queue, row_files, subjects, writing
from reporting.figures.period import Period
from reporting.models import Export, ExportState, Fault, Origin
from reporting.sales import recording
from reporting.sales.recording import Purchase
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk

QUERY = "period=custom&first=2035-03-01&last=2035-03-05"
ADDRESS = f"/reports/exports/conversations.csv?{QUERY}"


@pytest.fixture(autouse=True)
def media(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def step(db: None) -> RuleStep:
    step = StepFactory(rule__website__name="Maison", rule__name="Accueil", group__name="SAV")
    step.group.members.add(AgentFactory(display_name="=Alice"))
    return step


@pytest.fixture
def manager(step: RuleStep) -> User:
    user = UserFactory(role=Role.MANAGER, email="boss@example.com", language="en")
    step.group.managers.add(user)
    return user


def closed(step: RuleStep, *, at: datetime = NOW, comment: str = "") -> Any:
    agent = step.group.members.get()
    one = on_desk(step, agent, at=at - timedelta(minutes=30))
    sending.add(one.pk, author=Author.AGENT, body="Bonjour", client_id=uuid.uuid4(), at=at)
    verbs.close(one.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=at)
    if comment:
        surveys.answer(one.pk, csat=5, nps=9, comment=comment, at=at)
    return one


def asked(user: User, **given: Any) -> Export:
    wish: dict[str, Any] = {
        "subject": "conversations",
        "kind": "csv",
        "query": QUERY,
        "about": "Maison",
        "at": NOW,
    }
    wish["period"] = Period(date(2035, 3, 1), date(2035, 3, 6))
    return export_queue.ask(user, **(wish | given))


def written(at: datetime | None = None) -> bool:
    return writing.write_next(at=at or deadlines.database_now())


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@async_to_sync
async def fetched(user: User, export: Export) -> tuple[int, bytes]:
    client = AsyncClient()
    await client.aforce_login(user)
    response = await client.get(f"/reports/exports/{export.pk}/")
    if response.status_code != 200:
        return response.status_code, b""
    body = b"".join([block async for block in response.streaming_content])  # type: ignore[union-attr]
    assert response["Content-Length"] == str(len(body))
    return 200, body


def lines_of(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"))


@pytest.mark.usefixtures("clock")
def test_a_requested_export_is_written_mailed_and_downloaded(
    manager: User,
    step: RuleStep,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """From the button to the file, with the real wiring."""
    one = closed(step, comment="=1+1")
    client = logged_in(manager)
    monkeypatch.setitem(app.conf, "task_always_eager", True)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(ADDRESS).headers["Location"] == "/reports/exports/"
    export = Export.objects.get()
    assert (export.state, export.written, export.total) == (ExportState.DONE, 1, 1)
    assert export.about == "Maison"
    status, body = fetched(manager, export)
    [line] = lines_of(body)
    assert status == 200
    assert line["Conversation"] == str(one.pk)
    assert (line["Agent"], line["Comment"]) == ("'=Alice", "'=1+1")
    [sent] = mail.outbox
    assert (sent.subject, sent.to) == ("Ready: One row per conversation", [manager.email])
    assert "1 Mar 2035 – 5 Mar 2035 · Maison\n" in sent.body
    assert "1 row," in sent.body
    assert "/reports/exports/\n" in sent.body
    page = client.get("/reports/exports/").content.decode()
    assert "Download" in page
    assert "every 1s" not in page


@pytest.mark.usefixtures("clock")
def test_each_conversation_is_one_row_with_its_figures(manager: User, step: RuleStep) -> None:
    one = closed(step, comment="Merci")
    recording.record(
        step.rule.website,
        Purchase("CMD-1", Decimal(10), "EUR", NOW),
        visitor=one.visitor,
        origin=Origin.SCRIPT,
        at=NOW,
    )
    still_open = on_desk(step, step.group.members.get(), at=NOW)
    export = asked(manager)
    assert written()
    first, second = lines_of(fetched(manager, export)[1])
    wanted = {
        "Website": "Maison",
        "State": "Closed",
        "Rule": "Accueil",
        "Group": "SAV",
        "Opened": "2035-03-05 09:30:00",
        "Closed": "2035-03-05 10:00:00",
        "Resolution (s)": "1800",
        "Reason": "Resolved",
        "Closed by": "Agent",
        "Contacts": "1",
        "Transfers": "0",
        "Snoozes": "0",
        "Satisfaction": "5",
        "Recommendation": "9",
        "Comment": "Merci",
    }
    assert {name: first[name] for name in wanted} == wanted
    assert second["Conversation"] == str(still_open.pk)
    assert (second["State"], second["Closed"], second["Resolution (s)"]) == ("On a desk", "", "")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("chunk", [1, 2, 1000])
@pytest.mark.parametrize("subject", ["conversations", "closed"])
def test_every_row_is_exported_once_for_any_chunk_size(
    manager: User, step: RuleStep, subject: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (subjects, conversations):
        monkeypatch.setattr(module, "CHUNK", chunk)
    numbers = [closed(step, at=NOW - timedelta(days=days)).pk for days in (2, 1, 1, 1, 0)]
    export = asked(manager, subject=subject)
    assert written()
    exported = [int(line["Conversation"]) for line in lines_of(fetched(manager, export)[1])]
    assert exported == numbers
    export.refresh_from_db()
    assert (export.written, export.total) == (5, 5)


@pytest.mark.usefixtures("clock")
def test_an_export_can_be_a_workbook(manager: User, step: RuleStep) -> None:
    closed(step, comment="=1+1")
    export = asked(manager, kind="xlsx", subject="comments")
    assert written()
    with zipfile.ZipFile(io.BytesIO(fetched(manager, export)[1])) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "=1+1" in sheet
    assert "<f>" not in sheet


def test_an_export_uses_the_language_of_its_request(manager: User, step: RuleStep) -> None:
    client = logged_in(manager)
    client.post(ADDRESS, headers={"accept-language": "fr"})
    export = Export.objects.get()
    page = client.get("/reports/exports/", headers={"accept-language": "fr"})
    assert "1 mars 2035 – 5 mars 2035 · Maison" in page.content.decode()
    assert written()
    assert b"Premi\xc3\xa8re" in fetched(manager, export)[1]


class TestExportQueue:
    def test_exports_are_written_one_at_a_time_oldest_first(self, manager: User) -> None:
        first, second = asked(manager), asked(manager)
        at = deadlines.database_now()
        taken = export_queue.take(at=at)
        assert taken == first
        assert export_queue.take(at=at) is None
        export_queue.complete(first_of(taken), written=0, size=0)
        assert export_queue.take(at=at) == second

    @pytest.mark.django_db(transaction=True)
    def test_concurrent_workers_take_an_export_once(self, manager: User) -> None:
        at = deadlines.database_now()
        for _round in range(10):
            Export.objects.all().delete()
            export = asked(manager)
            asked(manager)
            start, results = threading.Barrier(4), list[Export | None]()

            def work(start: threading.Barrier = start, results: list[Any] = results) -> None:
                start.wait()
                results.append(export_queue.take(at=at))
                connection.close()

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            taken = [one for one in results if one is not None]
            assert len(taken) <= 1
            # The loser may have seen only the other row; then the next attempt gets one.
            assert taken or export_queue.take(at=at)
            assert Export.objects.filter(state=ExportState.RUNNING).count() == 1
            assert export.pk

    def test_an_export_of_a_killed_worker_is_written_by_the_next(
        self, manager: User, step: RuleStep
    ) -> None:
        export = asked(manager)
        at = deadlines.database_now()
        lost = first_of(export_queue.take(at=at))
        default_storage.save(lost.file, io.BytesIO(b"half"))
        assert not written(at)
        taken = first_of(export_queue.take(at=at + export_queue.LEASE))
        with pytest.raises(export_queue.GivenUp):  # It was slow, not dead: another has it now.
            export_queue.go_on(lost, written=7)
        assert not export_queue._end(lost, ExportState.DONE)
        export_queue.put_back(taken)
        assert written(at + export_queue.LEASE)
        export.refresh_from_db()
        assert (export.state, export.attempts) == (ExportState.DONE, 3)
        assert not default_storage.exists(lost.file)
        with pytest.raises(export_queue.GivenUp):
            export_queue.go_on(lost, written=7)
        with pytest.raises(export_queue.GivenUp):
            export_queue.complete(lost, written=7, size=7)

    def test_an_export_abandoned_three_times_fails_and_the_next_begins(self, manager: User) -> None:
        export, next_one = asked(manager), asked(manager)
        at = deadlines.database_now()
        for attempt in range(export_queue.ATTEMPTS):
            assert export_queue.take(at=at + attempt * export_queue.LEASE) == export
        assert export_queue.take(at=at + export_queue.ATTEMPTS * export_queue.LEASE) == next_one
        export.refresh_from_db()
        assert (export.state, export.fault) == (ExportState.FAILED, Fault.BROKEN)

    @pytest.mark.usefixtures("clock")
    def test_a_stopping_worker_returns_its_export_to_the_queue(
        self, manager: User, step: RuleStep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutdown, "_byte", bytearray(1))
        monkeypatch.setattr(subjects, "CHUNK", 1)
        for _number in range(2):
            closed(step)
        export = asked(manager, subject="closed")
        write = row_files.WRITERS["csv"]

        def stopped_midway(file: Any, pieces: Iterator[Any], *rest: Any) -> None:
            def watched() -> Iterator[Any]:
                for piece in pieces:
                    yield piece
                    shutdown.announce()

            write(file, watched(), *rest)

        monkeypatch.setitem(row_files.WRITERS, "csv", stopped_midway)
        assert not written()
        export.refresh_from_db()
        assert (export.state, export.attempts) == (ExportState.WAITING, 0)
        assert not default_storage.exists(export.file)
        assert not written()  # nor does it begin another
        assert Export.objects.get().attempts == 0
        monkeypatch.setattr(shutdown, "_byte", bytearray(1))
        monkeypatch.setitem(row_files.WRITERS, "csv", write)
        assert written()
        assert len(lines_of(fetched(manager, export)[1])) == 2

    def test_unfinished_exports_are_limited_per_user(self, manager: User, step: RuleStep) -> None:
        for _number in range(export_queue.MOST_UNFINISHED):
            asked(manager)
        answer = logged_in(manager).post(ADDRESS)
        assert answer.status_code == 409
        assert "You already have 5 unfinished exports" in answer.content.decode()
        assert Export.objects.count() == export_queue.MOST_UNFINISHED

    def test_a_request_is_stored_in_the_outbox(self, manager: User) -> None:
        export = asked(manager)
        [owed] = OutboxEntry.objects.filter(reaction="reporting.task_triggers.write_exports")
        assert owed.payload == {"export_id": export.pk}


def first_of(export: Export | None) -> Export:
    assert export is not None
    return export


@pytest.mark.usefixtures("clock")
def test_cancelling_stops_the_worker_and_deletes_the_file(
    manager: User, step: RuleStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LOOK_UP_SECONDS", 0)
    monkeypatch.setattr(subjects, "CHUNK", 1)
    for _number in range(3):
        closed(step)
    export = asked(manager, subject="closed")
    client, seen = logged_in(manager), list[int]()
    write = row_files.WRITERS["csv"]

    def cancelled_midway(file: Any, pieces: Iterator[Any], *rest: Any) -> None:
        def watched() -> Iterator[Any]:
            for piece in pieces:
                seen.append(len(piece))
                if len(seen) == 2:
                    assert "1 of 3 rows" in client.get("/reports/exports/").content.decode()
                    client.post(f"/reports/exports/{export.pk}/drop/")
                yield piece

        write(file, watched(), *rest)

    monkeypatch.setitem(row_files.WRITERS, "csv", cancelled_midway)
    assert written()
    assert seen == [1, 1]
    export.refresh_from_db()
    assert export.state == ExportState.CANCELLED
    assert not default_storage.exists(export.file)
    assert mail.outbox == []


@pytest.mark.usefixtures("clock")
def test_cancelling_while_the_file_is_saved_deletes_it(
    manager: User, step: RuleStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = asked(manager)
    save = default_storage.save

    def saved(*told: Any, **more: Any) -> str:
        export_queue.cancel(export, at=NOW)
        return save(*told, **more)

    monkeypatch.setattr(default_storage, "save", saved)
    assert written()
    export.refresh_from_db()
    assert export.state == ExportState.CANCELLED
    assert not default_storage.exists(export.file)


@pytest.mark.usefixtures("clock")
def test_a_failing_export_is_retried_and_then_reported(
    manager: User,
    step: RuleStep,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def full(*_told: Any) -> None:
        raise OSError("no space left on device")

    export = asked(manager)
    monkeypatch.setitem(row_files.WRITERS, "csv", full)
    with django_capture_on_commit_callbacks(execute=True):
        for _attempt in range(export_queue.ATTEMPTS):
            assert not written()
    export.refresh_from_db()
    assert (export.state, export.fault) == (ExportState.FAILED, Fault.BROKEN)
    assert (
        "The export failed three times"
        in logged_in(manager).get("/reports/exports/").content.decode()
    )
    [sent] = mail.outbox
    assert sent.subject == "Not ready: One row per conversation"
    assert "The export failed three times" in sent.body


def remove_from_group(user: User, _step: RuleStep) -> None:
    user.managed_groups.clear()


def demote_to_agent(user: User, step: RuleStep) -> None:
    User.objects.filter(pk=user.pk).update(role=Role.AGENT)
    step.group.members.add(AgentFactory(user=user))


def deactivate(user: User, _step: RuleStep) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("happens", [remove_from_group, demote_to_agent, deactivate])
def test_a_file_is_inaccessible_after_losing_access_to_its_content(
    manager: User, step: RuleStep, happens: Callable[[User, RuleStep], None]
) -> None:
    closed(step)
    export = asked(manager)
    assert written()
    assert fetched(manager, export)[0] == 200
    happens(manager, step)
    assert fetched(manager, export)[0] in {302, 404}
    if happens is not deactivate:
        page = logged_in(manager).get("/reports/exports/").content.decode()
        assert "no longer have access to all of its content" in page
        assert "Download" not in page


@pytest.mark.usefixtures("clock")
def test_no_file_is_written_for_a_user_who_has_lost_all_access(
    manager: User, step: RuleStep
) -> None:
    export = asked(manager)
    remove_from_group(manager, step)
    assert written()
    export.refresh_from_db()
    assert export.fault == Fault.NOTHING_TO_SEE
    assert not default_storage.exists(export.file)


@pytest.mark.usefixtures("clock")
def test_losing_one_of_two_websites_makes_the_file_inaccessible(
    manager: User, step: RuleStep
) -> None:
    other = StepFactory()
    other.group.managers.add(manager)
    export = asked(manager)
    assert written()
    assert fetched(manager, export)[0] == 200
    other.group.managers.clear()
    assert fetched(manager, export)[0] == 404


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("managed", "query", "lost", "is_open"),
    [
        ("sales", "", "", True),
        ("sales", "", "sales", False),
        ("sales returns", "", "returns", False),
        ("sales returns", "&group=sales", "returns", True),
        ("sales returns", "&group=sales", "sales", False),
        ("sales returns third", "", "third", False),  # the file covered the whole website
    ],
)
def test_a_file_of_groups_requires_supervision_of_each_of_them(
    step: RuleStep, managed: str, query: str, lost: str, is_open: bool
) -> None:
    user = UserFactory(role=Role.MANAGER)
    groups = {"sales": step.group}
    groups |= {name: StepFactory(rule=step.rule).group for name in ("returns", "third")}
    user.managed_groups.set([groups[name] for name in managed.split()])
    query = query.replace("sales", str(step.group_id))
    export = asked(user, query=QUERY + query)
    assert written()
    assert fetched(user, export)[0] == 200
    if lost:
        user.managed_groups.remove(groups[lost])
    assert fetched(user, export)[0] == (200 if is_open else 404)


@pytest.mark.usefixtures("clock")
def test_a_new_group_makes_a_file_of_the_whole_website_inaccessible(
    manager: User, step: RuleStep
) -> None:
    """They may no longer see the parts of the file that belong to no team."""
    export = asked(manager)
    assert written()
    assert fetched(manager, export)[0] == 200
    StepFactory(rule=step.rule)
    assert fetched(manager, export)[0] == 404


@pytest.mark.usefixtures("clock")
def test_agents_export_only_their_own_rows_and_files_are_private(
    manager: User, step: RuleStep
) -> None:
    alice, bruno = step.group.members.get(), AgentFactory(display_name="Bruno")
    mine = closed(step)
    step.group.members.add(bruno)
    of_bruno = on_desk(step, bruno, at=NOW)
    actor = actors.agent(bruno.user)
    verbs.close(of_bruno.pk, reason=CloseReason.RESOLVED, actor=actor, at=NOW)
    logged_in(alice.user).post(f"{ADDRESS}&agent={bruno.pk}")
    export = Export.objects.get()
    assert written()
    exported = [int(line["Conversation"]) for line in lines_of(fetched(alice.user, export)[1])]
    assert exported == [mine.pk]
    for stranger in (bruno.user, manager, UserFactory(role=Role.ADMIN)):
        assert fetched(stranger, export)[0] == 404
        answer = logged_in(stranger).post(f"/reports/exports/{export.pk}/drop/")
        assert answer.status_code == 404
        assert "Maison" not in logged_in(stranger).get("/reports/exports/").content.decode()
    assert Client().get(f"/reports/exports/{export.pk}/").status_code == 302


@pytest.mark.parametrize(
    "address",
    [
        "/reports/exports/happiness.csv",
        "/reports/exports/closed.exe",
    ],
)
def test_unknown_exports_are_not_found(manager: User, address: str) -> None:
    assert logged_in(manager).post(address).status_code == 404
    assert not Export.objects.exists()


@pytest.mark.usefixtures("clock")
def test_files_are_deleted_after_expiry_without_owner_and_on_request(
    manager: User, step: RuleStep
) -> None:
    current, old, orphan, by_hand = (asked(manager) for _ in range(4))
    for _number in range(4):
        assert written()
    now = deadlines.database_now()
    Export.objects.filter(pk=old.pk).update(ended_at=now - export_queue.RETENTION)
    Export.objects.filter(pk=orphan.pk).update(user=None)
    files = [Export.objects.get(pk=one.pk).file for one in (current, old, orphan, by_hand)]
    assert all(default_storage.exists(file) for file in files)
    assert tasks.forget_exports() == 2
    logged_in(manager).post(f"/reports/exports/{by_hand.pk}/drop/")
    assert list(Export.objects.all()) == [current]
    assert [default_storage.exists(file) for file in files] == [True, False, False, False]


@pytest.mark.usefixtures("clock")
def test_a_long_list_offers_an_export(
    manager: User, step: RuleStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(step)
    client = logged_in(manager)
    address = "/reports/rows/closed/?period=today"
    assert "Prepare as CSV" not in client.get(address).content.decode()
    monkeypatch.setattr("reporting.reports.views.LARGE", 0)
    page = client.get(address).content.decode()
    assert 'formaction="/reports/exports/closed.csv?period=today"' in page
