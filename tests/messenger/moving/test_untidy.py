"""What real exports are like: nothing is lost without a line in the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Agent, Website
from conversations.messages.validators import BODY_LIMIT
from conversations.models import Attachment, Conversation, Message, Visitor
from core.asgi.files import UPLOAD_BYTES
from messenger.moving import lines as lines_module
from messenger.moving.fields import Fields, split
from tests.clock import NOW
from tests.factories import WebsiteFactory
from tests.messenger.moving.histories import (
    AGENT,
    ANSWER,
    HEAD,
    NOTE,
    PERSON,
    QUESTION,
    STORY,
    TALK,
    Line,
    import_lines,
    reasons,
    report_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
FILE: Line = {
    "type": "file",
    "conversation": "4711",
    "message": "m1",
    "id": "f1",
    "name": "vase.txt",
    "path": "files/vase.txt",
}


@pytest.fixture(autouse=True)
def website() -> Website:
    return WebsiteFactory(key="vases", language="fr")


def changed(folder: Path, *lines: Line | bytes) -> dict[str, str]:
    """Import a conversation with these lines; return what was changed, by id."""
    import_lines(folder, "vases", (HEAD, AGENT, PERSON, *lines))
    return reasons(folder, "changed")


def refused(folder: Path, *lines: Line | bytes) -> dict[str, str]:
    import_lines(folder, "vases", (HEAD, AGENT, PERSON, *lines))
    return reasons(folder, "refused")


def without(line: Line, name: str) -> Line:
    return {one: value for one, value in line.items() if one != name}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{broken", "not JSON in UTF-8, each name once"),
        (b"\xff\xfe\x00", "not JSON in UTF-8, each name once"),
        (b'{"type": "tag", "type": "agent"}', "not JSON in UTF-8, each name once"),
        (b'{"type": "tag", "name": NaN}', "not JSON in UTF-8, each name once"),
        (b"[" * 100_000, "not JSON in UTF-8, each name once"),
        (b"[1, 2]", "not an object"),
        (b'"text"', "not an object"),
        (b'{"type": "ticket", "id": 7}', "unknown type"),
        (b'{"type": ["message"]}', "unknown type"),
        (b"{}", "unknown type"),
        (b'{"type": "person"}', "no id"),
        (b'{"type": "person", "id": true}', "no id"),
        (b'{"type": "person", "id": "a\\u0000b"}', "no id"),
        (b'{"type": "tag"}', "no name"),
        (b'{"type": "message", "id": "1"}', "no conversation"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_alone(
    raw: bytes, reason: str, tmp_path: Path
) -> None:
    import_lines(tmp_path, "vases", (HEAD, raw, *STORY[1:]))
    assert [(row["place"], row["outcome"], row["reason"]) for row in report_of(tmp_path)] == [
        ("2", "refused", reason)
    ]
    assert Conversation.objects.count() == 1


def test_a_line_without_end_takes_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines_module, "LONGEST", 1000)
    import_lines(tmp_path, "vases", (HEAD, b'{"type": "' + b"x" * 5000, *STORY[1:]))
    assert report_of(tmp_path)[0]["reason"] == "longer than 1000 bytes"
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("yesterday", "at is no moment: at is missing"),
        ("0000-00-00 00:00:00", "at is no moment"),
        ("2034-02-30T10:00:00Z", "at is no moment"),
        (10**17, "at is no moment"),
        (True, "at is no moment"),
        ({}, "at is no moment"),
        ("1899-12-30T00:00:00Z", "at is before 1990 or in the future"),
        ("2999-01-01T00:00:00Z", "at is before 1990 or in the future"),
        ("0001-01-01T00:00:00+14:00", "at is before 1990 or in the future"),
        (0, "at is before 1990 or in the future"),
    ],
)
def test_a_message_with_a_wrong_date_stays_in_its_place(
    value: object, reason: str, tmp_path: Path
) -> None:
    import_lines(
        tmp_path,
        "vases",
        (HEAD, AGENT, PERSON, TALK, QUESTION, ANSWER | {"at": value}, QUESTION | {"id": "m3"}),
    )
    said = [row["reason"] for row in report_of(tmp_path) if row["id"] == "m2"]
    assert said[0] == reason.partition(": at is missing")[0]
    assert said[1] == "at is missing: that of the message before it"
    assert list(Message.objects.values_list("body", flat=True))[1] == ANSWER["body"]


def test_a_date_without_zone_is_utc(tmp_path: Path) -> None:
    said = changed(tmp_path, TALK, QUESTION | {"at": "2034-01-02T09:30:00"})
    assert said == {"m1": "at has no time zone: read as UTC"}
    assert Message.objects.get().created_at.isoformat() == "2034-01-02T09:30:00+00:00"


def test_seconds_since_1970_are_a_date(tmp_path: Path) -> None:
    assert changed(tmp_path, TALK, QUESTION | {"at": 2019805200}) == {}
    assert Message.objects.get().created_at.isoformat() == "2034-01-02T09:00:00+00:00"


def test_an_order_that_cannot_be_is_made_one_that_can(tmp_path: Path) -> None:
    upside_down = TALK | {"opened_at": TALK["closed_at"], "closed_at": TALK["opened_at"]}
    late = ANSWER | {"at": "2034-01-05T09:00:00Z"}
    import_lines(tmp_path, "vases", (HEAD, AGENT, PERSON, upside_down, late, QUESTION))
    said = [row["reason"] for row in report_of(tmp_path)]
    assert said == [
        "opened_at is later than the first message: that one’s moment",
        "closed_at is earlier than the last message: that one’s moment",
    ]
    talk = Conversation.objects.get()
    messages = list(Message.objects.order_by("seq"))
    assert [one.body for one in messages] == [QUESTION["body"], ANSWER["body"]]
    assert (talk.opened_at, talk.closed_at) == (messages[0].created_at, messages[1].created_at)


def test_a_conversation_without_any_date_is_refused_with_its_lines(tmp_path: Path) -> None:
    bare = without(without(TALK, "opened_at"), "closed_at")
    said = refused(tmp_path, bare, without(QUESTION, "at"), FILE)
    assert said == {
        "4711": "it has no moment at all",
        "m1": "its conversation: it has no moment at all",
        "f1": "its conversation: it has no moment at all",
    }


def test_an_open_conversation_is_closed(tmp_path: Path) -> None:
    still = without(TALK, "closed_at") | {"status": "open"}
    assert changed(tmp_path, still, QUESTION, ANSWER) == {"4711": "it was open: imported as closed"}
    assert Conversation.objects.get().closed_at == Message.objects.get(seq=2).created_at


def test_missing_authors_are_nobodys_words(tmp_path: Path) -> None:
    said = changed(
        tmp_path,
        TALK,
        without(QUESTION, "author"),
        QUESTION | {"id": "m2", "author": "robot"},
        without(ANSWER, "agent") | {"id": "m3"},
        ANSWER | {"id": "m4", "agent": "gone"},
        without(NOTE, "agent"),
    )
    assert said["m1"] == said["m2"] == "no author: shown as a message of the system"
    assert said["gone"] == "agent gone has no line: shown as elsewhere gone"
    assert said["-"] == "agent - has no line: shown as elsewhere -"
    authors = Message.objects.order_by("seq").values_list("author", "agent__display_name")
    assert sorted(authors, key=str) == [
        ("agent", "elsewhere -"),
        ("agent", "elsewhere gone"),
        ("system", None),
        ("system", None),
    ]
    assert not Agent.objects.filter(user__is_active=True).exists()


def test_a_conversation_whose_person_is_missing_has_a_visitor_of_its_own(tmp_path: Path) -> None:
    said = changed(
        tmp_path, TALK | {"person": "p9"}, QUESTION, without(TALK, "person") | {"id": "2"}
    )
    assert said == {
        "4711": "person p9 has no line before it: an unknown visitor",
        "2": "no person: an unknown visitor",
    }
    assert Visitor.objects.count() == 3
    assert not Visitor.objects.get(name="Mirabelle").conversations.exists()


def test_ids_that_occur_twice_are_refused(tmp_path: Path) -> None:
    said = refused(
        tmp_path,
        AGENT,
        PERSON,
        TALK,
        QUESTION,
        QUESTION | {"body": "Encore ?"},
        TALK,
        ANSWER,
    )
    assert said == {
        "a1": "this id occurs twice",
        "p1": "this id occurs twice",
        "m1": "this id occurs twice",
        "4711": "this id occurs twice",
        "m2": "its conversation: this id occurs twice",
    }
    assert Message.objects.get().body == QUESTION["body"]


def test_an_id_that_occurs_in_a_later_batch_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messenger.moving.importing.CONVERSATIONS_AT_ONCE", 1)
    said = refused(tmp_path, TALK, QUESTION, PERSON, TALK, ANSWER)
    assert said["4711"] == said["p1"] == "this id occurs twice"
    assert Message.objects.count() == 1


def test_lines_away_from_their_conversation_are_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, QUESTION, TALK, PERSON | {"id": "p2"}, ANSWER, NOTE, FILE)
    assert set(said) == {"m1", "m2", "n1", "f1"}
    assert set(said.values()) == {"its conversation does not stand before it"}


def test_a_line_of_another_conversation_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, TALK, QUESTION | {"conversation": "12"}, ANSWER)
    assert said == {"m1": "its conversation does not stand before it"}
    assert Message.objects.get().body == ANSWER["body"]


def test_a_huge_body_takes_several_messages_and_loses_no_word(tmp_path: Path) -> None:
    words = [f"mot{number}" for number in range(3000)]
    said = changed(tmp_path, TALK, QUESTION | {"body": " ".join(words)}, ANSWER)
    bodies = list(Message.objects.order_by("seq").values_list("body", flat=True))
    assert said == {"m1": f"its text takes {len(bodies) - 1} messages"}
    assert max(map(len, bodies)) <= BODY_LIMIT
    assert " ".join(bodies[:-1]).split() == words
    assert bodies[-1] == ANSWER["body"]
    talk = Conversation.objects.get()
    assert talk.last_seq == len(bodies)


@given(st.text(alphabet=st.sampled_from("ab \n"), max_size=3 * BODY_LIMIT))
def test_a_text_in_parts_has_all_of_its_words(text: str) -> None:
    parts = split(text.strip())
    assert all(part and len(part) <= BODY_LIMIT for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("html", "body"),
    [
        ("<p>Bonjour<br>Où est <b>mon vase</b> ?</p>", "Bonjour\nOù est mon vase ?"),
        ("<div><p>Unclosed <i>tags", "Unclosed tags"),
        ("<script>alert(1)</script><p>Text</p>", "Text"),
        ("<table><tr><td>a<td>b</table><<<>>", "a  b"),
        ("&lt;b&gt; &amp; &#233;&nbsp;!", "<b> & é !"),
    ],
)
def test_broken_html_becomes_its_text(html: str, body: str, tmp_path: Path) -> None:
    changed(tmp_path, TALK, without(QUESTION, "body") | {"html": html})
    assert Message.objects.get().body.replace("\xa0", " ").startswith(body)


def test_characters_that_cannot_be_stored_are_reported(tmp_path: Path) -> None:
    raw = json.dumps(QUESTION | {"body": "Où\x00 est"}).encode()
    lone = json.dumps(ANSWER | {"body": "Voilà \ud83d !"}).encode()
    said = changed(tmp_path, TALK, raw, lone)
    assert said == dict.fromkeys(["m1", "m2"], "body has characters that cannot be stored")
    bodies = Message.objects.order_by("seq").values_list("body", flat=True)
    assert list(bodies) == ["Où est", "Voilà  !"]


@pytest.mark.parametrize("language", ["klingon", "", "fr_FR_x", 7, "f\ud800"])
def test_an_unknown_language_is_that_of_the_website(language: object, tmp_path: Path) -> None:
    said = changed(tmp_path, TALK | {"language": language}, QUESTION)
    assert said == {"4711": "language is no language: fr"}
    assert Conversation.objects.get().language == "fr"


def test_fields_that_are_not_used_are_named(tmp_path: Path) -> None:
    said = changed(tmp_path, TALK | {"priority": 1, "sla": "gold"}, QUESTION)
    assert said == {"4711": "fields that are not used: priority, sla"}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("channel", "fax", "channel is none of chat, messaging, call, video: chat"),
        ("closed_by", 3, "closed_by is none of"),
        ("data", [], "data is no object"),
        ("tags", "refund", "tags is no list"),
        ("ratings", [{"csat": 9, "comment": "?"}], "ratings 1: csat is no number from 1 to 5"),
        ("ratings", ["good"], "ratings 1 is no object"),
        ("group", "Nobody", "there is no group Nobody here: without a group"),
        ("page_url", "x" * 3000, "page_url is cut to 2000 characters"),
        ("page_url", 5, "page_url is not text"),
    ],
)
def test_what_cannot_be_taken_as_it_is_is_reported(
    field: str, value: object, reason: str, tmp_path: Path
) -> None:
    import_lines(tmp_path, "vases", (HEAD, AGENT, PERSON, TALK | {field: value}, QUESTION))
    assert [row["outcome"] for row in report_of(tmp_path)] == ["changed"]
    assert report_of(tmp_path)[0]["reason"].startswith(reason)
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize("email", ["nobody", "a@b@c.example.com", 7, "x" * 300 + "@example.com"])
def test_a_wrong_address_is_left_out(email: object, tmp_path: Path) -> None:
    import_lines(tmp_path, "vases", (HEAD, PERSON | {"email": email}))
    assert "email" in reasons(tmp_path, "changed")["p1"]
    assert Visitor.objects.get().name == "Mirabelle"


def test_an_empty_message_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, TALK, QUESTION | {"body": " \n\t"}, without(ANSWER, "body"))
    assert said == {"m1": "it says nothing", "m2": "it says nothing"}
    assert Conversation.objects.get().last_seq == 0


class TestFiles:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "files").mkdir()
        (tmp_path / "files" / "vase.txt").write_text("Un vase.")
        return tmp_path

    def test_a_file_is_stored_with_its_message(self, tmp_path: Path) -> None:
        assert refused(tmp_path, TALK, QUESTION, FILE, ANSWER) == {}
        message = Message.objects.get(seq=1)
        assert message.attachment is not None
        assert message.attachment.name == "vase.txt"
        with default_storage.open(message.attachment.file) as stored:
            assert stored.read() == b"Un vase."
        before = Attachment.objects.values().get()
        refused(tmp_path, TALK, QUESTION, FILE, ANSWER)
        assert Attachment.objects.values().get() == before

    def test_several_files_take_several_messages(self, tmp_path: Path) -> None:
        refused(tmp_path, TALK, QUESTION, FILE, FILE | {"id": "f2"}, FILE | {"id": "f3"}, ANSWER)
        rows = list(Message.objects.order_by("seq").values_list("body", "attachment__name"))
        assert rows == [
            (QUESTION["body"], "vase.txt"),
            ("", "vase.txt"),
            ("", "vase.txt"),
            (ANSWER["body"], None),
        ]

    @pytest.mark.parametrize(
        "path",
        [
            "files/none.txt",
            "../secret.txt",
            "/etc/passwd",
            "files",
            "",
            "files/link.txt",
            "files/../../secret.txt",
            "files/vase.txt\x00",
        ],
    )
    def test_a_path_never_leads_out_of_the_folder(self, path: str, tmp_path: Path) -> None:
        folder = tmp_path / "inside"
        (folder / "files").mkdir(parents=True)
        (folder / "files" / "vase.txt").write_text("Un vase.")
        (tmp_path / "secret.txt").write_text("secret")
        (folder / "files" / "link.txt").symlink_to(tmp_path / "secret.txt")
        said = refused(folder, TALK, QUESTION, FILE | {"path": path})
        stored = Attachment.objects.count()
        if path == "files/vase.txt\x00":  # The line is cleaned: it is the file itself.
            assert (said, stored) == ({}, 1)
        else:
            assert said == {"f1": "there is no such file in the folder"}
            assert stored == 0
            assert Message.objects.get().body == f"{QUESTION['body']}\n[vase.txt]"

    def test_a_file_that_no_upload_may_be_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "files" / "tool.exe").write_bytes(b"MZ\x90\x00" + bytes(200))
        with (tmp_path / "files" / "large.txt").open("wb") as large:
            large.truncate(UPLOAD_BYTES + 1)
        said = refused(
            tmp_path,
            TALK,
            without(QUESTION, "body"),
            FILE | {"path": "files/tool.exe", "name": "tool.exe"},
            FILE | {"id": "f2", "path": "files/large.txt"},
            FILE | {"id": "f3", "message": "m9"},
            FILE | {"id": "f4", "missing": "its bytes were lost"},
        )
        assert "tool.exe" not in said["f1"]
        assert said["f2"].startswith("larger than")
        assert said["f3"] == "its message is not there"
        assert said["f4"] == "its bytes were lost"
        assert Message.objects.get().body == "[tool.exe]\n[vase.txt]\n[vase.txt]"

    def test_bytes_whose_rows_are_refused_are_deleted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django.db import IntegrityError

        stored: list[str] = []
        save = default_storage.save
        monkeypatch.setattr(
            default_storage, "save", lambda *args: stored.append(save(*args)) or stored[-1]
        )

        def refuses(*_args: Any) -> None:
            raise IntegrityError

        monkeypatch.setattr("messenger.moving.importing._insert", refuses)
        refused(tmp_path, TALK, QUESTION, FILE)
        assert len(stored) == 2
        assert not any(default_storage.exists(name) for name in stored)


@given(
    st.dictionaries(
        st.sampled_from(["id", "name", "at", "tags", "data", "language", "csat"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_any_value_is_taken_or_reported(values: dict[str, Any]) -> None:
    fields = Fields(values, at=NOW)
    taken = {
        "id": fields.reference("id"),
        "name": fields.label("name", 10),
        "at": fields.moment("at"),
        "tags": fields.entries("tags"),
        "data": fields.details("data"),
        "language": fields.language("language", otherwise="fr"),
        "csat": fields.number("csat", 1, 5),
    }
    fields.finish()
    reported = {change.split()[0] for change in fields.changes}
    for name, value in values.items():
        is_nothing = value is None or value in ("", [], {}) or str(value).strip() == ""
        taken_over = taken[name] not in ("", None, [], {}, "fr") or value == "fr"
        # A name of nothing but invisible characters is nothing.
        invisible = name == "name" and isinstance(value, str)
        assert is_nothing or taken_over or name in reported or invisible, (name, value)
