"""What was exported can be imported, and gives an equal website."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Agent, Website
from accounts.supervision import EVERYTHING
from conversations import surveys
from conversations.lifecycle import actors, invariants, verbs
from conversations.messages import sending
from conversations.models import (
    Address,
    Attachment,
    Author,
    CloseReason,
    Consent,
    Conversation,
    Message,
    Note,
    Person,
    Visitor,
)
from conversations.privacy import personal_data
from conversations.visitors import persons
from messenger.moving import exporting
from messenger.moving.exporting import Export
from reporting.figures import FIGURES, answers
from reporting.figures.period import Period
from reporting.figures.scope import Scope
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    GroupFactory,
    StepFactory,
    VisitorFactory,
    WebsiteFactory,
    on_desk,
    with_bot,
)
from tests.messenger.moving.histories import Line, import_path, reasons, report_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
MINUTE = timedelta(minutes=1)
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FIGURES_OF_CONVERSATIONS = ("opened", "closed", "first_response", "resolution", "csat", "nps")


def export(website: Website, folder: Path) -> Path:
    call_command("export_all", website.key, folder, stdout=StringIO(), stderr=StringIO())
    return folder / "history.jsonl"


def lines_of(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def comparable(path: Path) -> list[Line]:
    """Return the lines without what must differ between two websites: random ids, which are
    numbered in the order in which they come, and the mark of an import."""
    lines = lines_of(path)
    for line in lines:
        line.pop("origin", None)
        if line["type"] == "note":
            line.pop("id")
    seen: dict[str, str] = {}
    text = UUIDS.sub(lambda match: seen.setdefault(match[0], f"#{len(seen)}"), json.dumps(lines))
    numbered: list[Line] = json.loads(text)
    return numbered


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(rule__website__key="vases", rule__website__time_zone="UTC")


@pytest.fixture
def agents(step: RuleStep) -> list[Agent]:
    found = [AgentFactory(user__email=f"{name}@example.com") for name in ("alice", "bruno")]
    step.group.members.set(found)
    return found


def say(number: int, author: Author, body: str, *, minutes: int, **how: Any) -> Message:
    at = NOW + minutes * MINUTE
    key = uuid.uuid4()
    sending.add(number, author=author, body=body, client_id=key, at=at, **how)
    return Message.objects.get(client_id=key)


def attach(talk: Conversation, agent: Agent, content: bytes) -> uuid.UUID:
    pk = uuid.uuid4()
    Attachment.objects.create(
        id=pk,
        conversation=talk,
        agent=agent,
        name="facture.txt",
        content_type="text/plain",
        size=len(content),
        file=default_storage.save(f"attachments/{pk}", ContentFile(content)),
        created_at=NOW,
    )
    return pk


def live_through(step: RuleStep, agents: list[Agent]) -> None:
    """Let a website have conversations of all kinds, all of them over at the end."""
    alice, bruno = agents
    website = step.rule.website
    person = Person.objects.create(
        website=website, external_id="C-1", name="Mira", profile={"vip": True}, created_at=NOW
    )
    browsers = [VisitorFactory(website=website, agrees=True) for _browser in range(2)]
    for browser in browsers:
        Address.objects.create(visitor=browser, email="mira@example.com", given_at=NOW)
        persons.link(browser, person)
    VisitorFactory(website=website, withdrawn_at=NOW, name="Silent")
    talk = on_desk(step, alice, visitor=browsers[0])
    say(talk.pk, Author.VISITOR, "Où est mon vase ? 🏺", minutes=1)
    say(talk.pk, Author.AGENT, "", minutes=2, attachment=attach(talk, alice, b"Facture 12"))
    say(talk.pk, Author.AGENT, "Voici.\nBonne journée", minutes=3)
    Note.objects.create(conversation=talk, agent=bruno, body="Urgent", created_at=NOW)
    alice_acts = actors.agent(alice.user)
    verbs.transfer_to_agent(talk.pk, agent=bruno, actor=alice_acts, at=NOW + 4 * MINUTE)
    verbs.push(talk.pk, agent=bruno, at=NOW + 5 * MINUTE)
    say(talk.pk, Author.AGENT, "Je prends la suite", minutes=6)
    verbs.close(
        talk.pk, reason=CloseReason.RESOLVED, actor=actors.agent(bruno.user), at=NOW + 9 * MINUTE
    )
    surveys.answer(talk.pk, csat=5, nps=9, comment="Merci", at=NOW + 20 * MINUTE)
    bot = with_bot(step, language="en")
    say(bot.pk, Author.BOT, "Hello!", minutes=1, offer={"choices": ["Yes", "No"]})
    verbs.close(bot.pk, reason=CloseReason.BOT_ENDED, actor=actors.BOT, at=NOW + 2 * MINUTE)
    last = on_desk(step, bruno, visitor=browsers[1])
    say(last.pk, Author.VISITOR, "x" * 4000, minutes=1)
    verbs.close(last.pk, reason=CloseReason.BLOCKED, actor=alice_acts, at=NOW + 3 * MINUTE)


@pytest.mark.parametrize("how", [(), ("--count",)])
def test_an_exported_website_is_imported_as_an_equal_one(
    how: tuple[str, ...], step: RuleStep, agents: list[Agent], tmp_path: Path
) -> None:
    live_through(step, agents)
    first = export(step.rule.website, tmp_path / "first")
    copy = WebsiteFactory(key="copy", time_zone="UTC")
    GroupFactory(website=copy, name=step.group.name)
    agents[0].groups.add(copy.groups.get())
    import_path(first, "copy", *how)
    assert report_of(tmp_path / "first") == []
    second = export(copy, tmp_path / "second")
    assert comparable(second) == comparable(first)
    for file in (tmp_path / "first" / "files").iterdir():
        assert file.read_bytes() == b"Facture 12"
    assert len(list((tmp_path / "second" / "files").iterdir())) == 1
    # The outbox of the first website is not worked off in a test.
    assert [one for one in invariants.findings(at=NOW) if one.check != "outbox"] == []
    for model, count in ((Visitor, 4), (Person, 1), (Address, 2), (Conversation, 3)):
        of_copy = (
            model._default_manager.filter(website=copy)
            if model is not Address
            else (Address.objects.filter(visitor__website=copy))
        )
        assert of_copy.count() == count, model
    assert Consent.objects.filter(visitor__website=copy).count() == 2
    if how:
        assert figures(copy) == figures(step.rule.website)
    else:
        assert figures(copy)["closed"] == 0


def figures(website: Website) -> dict[str, Any]:
    period = Period(NOW.date(), NOW.date() + timedelta(days=1))
    scope = Scope((website,), period, supervised=EVERYTHING)
    wanted = [FIGURES[name] for name in FIGURES_OF_CONVERSATIONS if name in FIGURES]
    return {name: one.value for name, one in answers.total(wanted, scope).items()}


def test_an_export_into_an_empty_installation_keeps_the_ids(
    step: RuleStep, agents: list[Agent], tmp_path: Path
) -> None:
    live_through(step, agents)
    path = export(step.rule.website, tmp_path / "first")
    ids = set(Visitor.objects.values_list("public_id", flat=True))
    personal_data.forget(step.rule.website, list(Visitor.objects.values_list("pk", flat=True)))
    assert not Visitor.objects.exists()
    import_path(path, "vases")
    assert set(Visitor.objects.values_list("public_id", flat=True)) == ids


def test_what_is_still_open_is_exported_as_open(
    step: RuleStep, agents: list[Agent], tmp_path: Path
) -> None:
    talk = on_desk(step, agents[0])
    say(talk.pk, Author.VISITOR, "Encore là ?", minutes=1)
    path = export(step.rule.website, tmp_path / "first")
    assert [line["status"] for line in lines_of(path) if line["type"] == "conversation"] == ["open"]
    WebsiteFactory(key="copy")
    import_path(path, "copy")
    said = reasons(tmp_path / "first", "changed")
    assert said[str(talk.public_id)] == "it was open: imported as closed"


def test_lost_bytes_are_named(step: RuleStep, agents: list[Agent], tmp_path: Path) -> None:
    live_through(step, agents)
    default_storage.delete(Attachment.objects.get().file)
    path = export(step.rule.website, tmp_path / "first")
    line = next(line for line in lines_of(path) if line["type"] == "file")
    assert line["missing"] == "its bytes were lost"
    assert "path" not in line


def test_nothing_of_another_website_is_exported(
    step: RuleStep, agents: list[Agent], tmp_path: Path
) -> None:
    live_through(step, agents)
    other = StepFactory()
    on_desk(other, AgentFactory(display_name="Zoé"))
    lines = lines_of(export(other.rule.website, tmp_path / "other"))
    assert [line["type"] for line in lines] == ["history", "agent", "person", "conversation"]
    assert lines[1]["name"] == "Zoé"


class TestRestarts:
    @pytest.fixture(autouse=True)
    def small_pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exporting, "AT_ONCE", 1)

    def pieces(self, website: Website, folder: Path) -> int:
        count = 0

        def progress(_lines: int) -> None:
            nonlocal count
            count += 1

        Export(website, folder).run(on_progress=progress)
        return count

    def test_an_interrupted_export_continues(
        self, step: RuleStep, agents: list[Agent], tmp_path: Path
    ) -> None:
        live_through(step, agents)
        website = step.rule.website
        whole = self.pieces(website, tmp_path / "whole")
        expected = (tmp_path / "whole" / "history.jsonl").read_bytes()
        for stop in range(1, whole + 1):
            folder, left = tmp_path / str(stop), stop

            def dies(_lines: int) -> None:
                nonlocal left
                left -= 1
                if not left:
                    raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                Export(website, folder).run(on_progress=dies)
            # Half a line, as it is written when the machine stops.
            with (folder / "history.jsonl.part").open("ab") as out:
                out.write(b'{"type": "mess')
            self.pieces(website, folder)
            assert (folder / "history.jsonl").read_bytes() == expected
            assert sorted(path.name for path in folder.iterdir()) == ["files", "history.jsonl"]

    def test_a_finished_export_is_not_overwritten(self, step: RuleStep, tmp_path: Path) -> None:
        export(step.rule.website, tmp_path)
        with pytest.raises(CommandError, match="finished export"):
            export(step.rule.website, tmp_path)

    def test_a_begun_export_of_another_website_is_not_continued(
        self, step: RuleStep, tmp_path: Path
    ) -> None:
        def dies(_lines: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Export(step.rule.website, tmp_path).run(on_progress=dies)
        with pytest.raises(CommandError, match="another website"):
            export(WebsiteFactory(), tmp_path)


def test_more_conversations_take_more_pieces_and_no_more_memory(
    step: RuleStep, agents: list[Agent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement reads one piece: what is held at once does not grow."""
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    for _talk in range(5):
        on_desk(step, agents[0])
    with CaptureQueriesContext(connection) as asked:
        export(step.rule.website, tmp_path)
    table = 'FROM "conversations_conversation"'
    pieces = [query["sql"] for query in asked if table in query["sql"]]
    assert len([sql for sql in pieces if "LIMIT 2" in sql]) == 4
