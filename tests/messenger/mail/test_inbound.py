"""Inbound mails: stored as they came, always on record, opened by agents only."""

from __future__ import annotations

import json
import smtplib
import uuid
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Agent, Role
from conversations.facts import MessageAdded
from conversations.lifecycle import actors, verbs
from conversations.messages import inbound_emails
from conversations.models import (
    Address,
    Attachment,
    Author,
    CloseReason,
    Conversation,
    InboundEmail,
    Message,
    Visitor,
)
from conversations.privacy import personal_data
from conversations.visitors import blocks
from core.events import bus
from messenger.mail import addresses, replies
from messenger.mail.reply_addresses import reply_address
from messenger.models import Mail, MailKind, Reply, ReplyOutcome
from messenger.visitors import hash_token
from tests.clock import NOW
from tests.conversations.messages.test_attachments import as_agent, as_visitor
from tests.factories import AgentFactory, UserFactory
from tests.messenger.letters import begin, letter, say, take, words_of
from tests.messenger.mailing import VISITOR, Lmtp

DAY = timedelta(days=1)


def answer(talk: Conversation, **headers: str) -> EmailMessage:
    """Return an answer of two lines with our mail below them."""
    return letter(
        talk,
        "Brass, please.\n\nOn Mon, 5 Mar 2035 at 10:06, Maison Céleste wrote:\n> Is it oak?\n",
        **headers,
    )


def close(talk: Conversation) -> None:
    actor = actors.agent(Agent.objects.get().user)
    verbs.close(talk.pk, reason=CloseReason.RESOLVED, actor=actor, at=NOW)


def browser_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


# --- The whole e-mail


def test_the_original_mail_is_stored_with_its_message(talk: Conversation) -> None:
    """B29."""
    mail = answer(talk, Subject="Re: Lamp")
    assert take(mail, reply_address(talk.public_id)) == ReplyOutcome.ACCEPTED
    assert words_of(talk) == ["Brass, please."]
    original = InboundEmail.objects.get()
    assert inbound_emails.content(original) == mail.as_bytes()
    assert (original.subject, original.sender, original.size) == (
        "Re: Lamp",
        VISITOR,
        len(mail.as_bytes()),
    )
    assert "> Is it oak?" in original.text
    assert original.seq == Message.objects.get(body="Brass, please.").seq
    assert Reply.objects.get().email == original
    assert not Attachment.objects.exists()


def test_agents_can_open_the_original_mail_and_its_file(talk: Conversation) -> None:
    take(answer(talk), reply_address(talk.public_id))
    original = InboundEmail.objects.get()
    desk = browser_of(Agent.objects.get().user)
    page = desk.get(f"/desk/c/{talk.pk}/emails/{original.pk}/")
    assert "&gt; Is it oak?" in page.content.decode()
    file = desk.get(f"/desk/c/{talk.pk}/emails/{original.pk}/file/")
    assert b"Brass, please." in file.content
    assert file["Content-Type"] == "application/octet-stream"
    assert file["Content-Disposition"].startswith("attachment;")
    assert file["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in file["Content-Security-Policy"]


def test_others_cannot_open_the_original_mail(talk: Conversation) -> None:
    take(answer(talk), reply_address(talk.public_id))
    original, other = InboundEmail.objects.get(), begin()
    stranger = AgentFactory()
    for path in (f"emails/{original.pk}/", f"emails/{original.pk}/file/"):
        assert browser_of(stranger.user).get(f"/desk/c/{talk.pk}/{path}").status_code == 404
        administrator = browser_of(UserFactory(role=Role.ADMIN))
        assert administrator.get(f"/desk/c/{talk.pk}/{path}").status_code == 200
        assert administrator.get(f"/desk/c/{other.pk}/{path}").status_code == 404
        assert Client().get(f"/desk/c/{talk.pk}/{path}").status_code == 302
    default_storage.delete(original.file)
    gone = browser_of(Agent.objects.filter(user__isnull=False).first().user)  # type: ignore[union-attr]
    assert gone.get(f"/desk/c/{talk.pk}/emails/{original.pk}/file/").status_code == 404


def test_only_agents_receive_the_id_of_the_original_mail(
    transactional_db: None,
) -> None:
    talk, agent = begin(), Agent.objects.get()
    Visitor.objects.filter(pk=talk.visitor_id).update(token_hash=hash_token("mine"))
    facts: list[MessageAdded] = []

    async def receive(fact: MessageAdded) -> None:
        facts.append(fact)

    bus.on(MessageAdded, receive)
    try:
        take(answer(talk), reply_address(talk.public_id))
    finally:
        bus._live[MessageAdded].remove(receive)
    original_id = str(InboundEmail.objects.get().pk)
    assert [(fact.email, "email" in fact.message) for fact in facts] == [(original_id, False)]
    for reader, email in ((as_agent(talk, agent), original_id), (as_visitor(talk, "mine"), None)):
        last = reader.ask("GET", "messages/?after_seq=0").json["messages"][-1]
        assert (last["body"], last.get("email")) == ("Brass, please.", email)
    assert as_visitor(talk, "mine").ask("GET", f"attachments/{original_id}/").status == 404


def test_the_original_mail_is_exported_and_erased_with_its_visitor(
    talk: Conversation, django_capture_on_commit_callbacks: Any
) -> None:
    take(answer(talk), reply_address(talk.public_id))
    original = InboundEmail.objects.get()
    subject = personal_data.of_visitor(talk.visitor)
    (row,) = personal_data.export(subject)["tables"]["conversations.inboundemail"]
    assert "> Is it oak?" in row["text"]
    assert "file" not in row
    close(talk)
    with django_capture_on_commit_callbacks(execute=True):
        personal_data.erase(subject, by=None, at=NOW)
    assert not InboundEmail.objects.exists()
    assert not Reply.objects.exists()
    assert not default_storage.exists(original.file)


# --- What is not a message is on record, and what its visitor sent is stored


def test_an_automatic_reply_becomes_no_message_and_is_stored(talk: Conversation) -> None:
    mail = letter(talk, "I am away.", Subject="Réponse automatique : Lamp")
    assert take(mail, reply_address(talk.public_id)) == ReplyOutcome.IGNORED
    assert words_of(talk) == []
    original = InboundEmail.objects.get()
    assert (original.seq, original.text.strip()) == (None, "I am away.")
    admin = browser_of(UserFactory(role=Role.ADMIN, is_superuser=True, is_staff=True))
    page = admin.get(f"/admin/messenger/reply/{Reply.objects.get().pk}/change/").content.decode()
    assert f"/desk/c/{talk.pk}/emails/{original.pk}/file/" in page


def test_a_mail_from_an_unknown_sender_is_not_stored(talk: Conversation) -> None:
    mail = letter(talk, From="other@example.org")
    assert take(mail, reply_address(talk.public_id)) == ReplyOutcome.REFUSED
    assert not InboundEmail.objects.exists()


def test_a_mail_of_a_blocked_visitor_is_refused_and_the_reason_recorded(
    talk: Conversation, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    blocks.block(talk, reason="rude", until=None, by=Agent.objects.get().user, at=NOW)
    assert take(letter(talk), reply_address(talk.public_id)) == ReplyOutcome.REFUSED
    assert Reply.objects.get().reason == "the visitor is blocked"
    assert words_of(talk) == []
    assert not InboundEmail.objects.exists()
    assert (tmp_path / "emails").is_dir()  # it was stored first
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_mail_after_withdrawal_is_refused_and_the_reason_recorded(talk: Conversation) -> None:
    talk.visitor.withdrawn_at = NOW
    talk.visitor.save()
    assert take(letter(talk), reply_address(talk.public_id)) == ReplyOutcome.REFUSED
    assert Reply.objects.get().reason == "the visitor has withdrawn consent"


def test_the_closing_mail_is_sent_once_a_day(talk: Conversation) -> None:
    close(talk)
    to = reply_address(talk.public_id)
    outcomes = []
    for n in range(6):
        mail = letter(talk, f"Are you there? {n}")
        outcomes += replies.take(mail.as_bytes(), [to], at=NOW + timedelta(minutes=n))
    assert outcomes == [ReplyOutcome.CLOSED] * 6
    assert Mail.objects.filter(kind=MailKind.CLOSED).count() == 1
    reasons = set(Reply.objects.values_list("reason", flat=True))
    assert reasons == {"", "instructions to come back already sent that day"}
    assert InboundEmail.objects.count() == 6
    replies.take(letter(talk, "And now?").as_bytes(), [to], at=NOW + DAY)
    assert Mail.objects.filter(kind=MailKind.CLOSED).count() == 2


def test_a_reply_with_only_our_quote_is_ignored(talk: Conversation) -> None:
    say(talk, Author.AGENT, "It is made of oak, from the Loire.")
    quote = "> It is made of oak, from\n> the Loire.\n"
    mail = letter(talk, f"On Mon, 5 Mar 2035, Maison Céleste wrote:\n{quote}")
    mail["Subject"] = "Re: "
    assert take(mail, reply_address(talk.public_id)) == ReplyOutcome.IGNORED
    assert Reply.objects.get().reason == "no text besides the quotation"


def test_an_unnamed_picture_is_mentioned(talk: Conversation) -> None:
    mail = letter(talk, "Here:")
    mail.add_attachment(b"x" * 1000, maintype="image", subtype="png")
    take(mail, reply_address(talk.public_id))
    text, note = words_of(talk)
    assert text == "Here:"
    assert "image 1.png" in note


def test_a_mail_that_is_too_long_is_marked_and_stored(talk: Conversation) -> None:
    mail = letter(talk, "\n".join(f"Line {n} of a long letter." for n in range(4000)))
    assert take(mail, reply_address(talk.public_id)) == ReplyOutcome.ACCEPTED
    assert words_of(talk)[-1].startswith("[La suite de cet e-mail")
    assert "Line 3999" in InboundEmail.objects.get().text


def test_an_unreadable_mail_is_marked_and_stored(talk: Conversation) -> None:
    """Python's own parser fails on a boundary like this one."""
    boundary = b"multipart/mixed; boundary*0=b; boundary*"
    raw = letter(talk).as_bytes().replace(b'text/plain; charset="utf-8"', boundary)
    assert boundary in raw
    with pytest.raises(TypeError):
        message_from_bytes(raw)
    to = reply_address(talk.public_id)
    assert replies.take(raw, [to], at=NOW) == [ReplyOutcome.ACCEPTED]
    assert words_of(talk) == ["[Cet e-mail ne peut pas être affiché ici]"]
    assert InboundEmail.objects.count() == 1


# --- Who sends it


@pytest.mark.parametrize(
    ("saved", "sender"),
    [
        (VISITOR, f"{VISITOR} <{VISITOR}>"),
        (VISITOR, f"Martin, Jeanne <{VISITOR}>"),
        (VISITOR, f'"Martin, Jeanne (work)" <{VISITOR}>'),
        (VISITOR, f"=?utf-8?q?Jeanne_=3C{VISITOR.replace('@', '=40')}=3E?="),
        (VISITOR, f"Jérôme <{VISITOR}>"),
        (VISITOR, f"<{VISITOR.upper()}.>"),
        ("jeanne@exämple.org", "Jeanne <jeanne@xn--exmple-cua.org>"),
        ("jeanne@xn--exmple-cua.org", "Jeanne <jeanne@exämple.org>"),
        ("jeanne@\u200bexample.org", f"Jeanne <{VISITOR}>"),
        ("\ufeffjeanne@example.org", f"Jeanne <{VISITOR}>"),
    ],
)
def test_the_sender_is_recognized_in_every_notation(
    talk: Conversation, saved: str, sender: str
) -> None:
    Address.objects.filter(visitor=talk.visitor).update(email=saved)
    mail = letter(talk)
    del mail["From"]
    raw = f"From: {sender}\r\n".encode() + mail.as_bytes()
    assert take(raw, reply_address(talk.public_id)) == ReplyOutcome.ACCEPTED


@pytest.mark.parametrize(
    "sender",
    [
        f"{VISITOR} <other@example.org>",
        f"Other <other@example.org>, {VISITOR}",
        f'"<{VISITOR}>" <other@example.org>',
        f"other@example.org ({VISITOR})",
        f"=?utf-8?q?{VISITOR}?= <other@example.org>",
    ],
)
def test_an_address_in_the_display_name_is_not_the_sender(talk: Conversation, sender: str) -> None:
    mail = letter(talk)
    del mail["From"]
    raw = f"From: {sender}\r\n".encode() + mail.as_bytes()
    assert take(raw, reply_address(talk.public_id)) == ReplyOutcome.REFUSED


def test_invisible_characters_are_removed_from_addresses() -> None:
    assert addresses.check_email(" jeanne@\u200bexample.org\u2060 ") == VISITOR


# --- The entry points


def test_lmtp_accepts_mails_of_blocked_visitors_without_an_error(lmtp_server: Lmtp) -> None:
    talk = begin()
    blocks.block(talk, reason="rude", until=None, by=Agent.objects.get().user, at=timezone.now())
    to = reply_address(talk.public_id)
    assert lmtp_server.deliver(letter(talk).as_bytes(), [to]) == {to: 250}
    assert Reply.objects.get().reason == "the visitor is blocked"


def test_lmtp_accepts_unencoded_headers_and_long_lines(lmtp_server: Lmtp) -> None:
    talk = begin()
    to = reply_address(talk.public_id)
    raw = (
        f"From: Jérôme <{VISITOR}>\r\nTo: {to}\r\nSubject: Déjà reçu\r\n"
        "Message-ID: <é@example.org>\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\nDéjà {'reçu ' * 500}\r\n"
    ).encode()
    assert lmtp_server.deliver(raw, [to]) == {to: 250}
    assert words_of(talk) == [f"Déjà {'reçu ' * 500}".strip()]
    assert InboundEmail.objects.get().subject == "Déjà reçu"


def test_lmtp_accepts_non_ascii_senders(lmtp_server: Lmtp) -> None:
    talk = begin()
    with smtplib.LMTP("127.0.0.1", lmtp_server.port, timeout=20) as client:
        client.ehlo_or_helo_if_needed()
        assert client.sock is not None
        client.sock.sendall("MAIL FROM:<jérôme@example.org> SMTPUTF8\r\n".encode())
        assert client.getreply()[0] == 250
        assert client.rcpt(reply_address(talk.public_id))[0] == 250


def test_lmtp_defers_mails_that_storage_rejects(
    lmtp_server: Lmtp, settings: Any, tmp_path: Path
) -> None:
    talk = begin()
    to, place = reply_address(talk.public_id), tmp_path / "media"
    place.write_text("a file where the folder of files should be")
    settings.MEDIA_ROOT = place
    assert lmtp_server.deliver(letter(talk).as_bytes(), [to]) == {to: 451}
    place.unlink()
    assert lmtp_server.deliver(letter(talk).as_bytes(), [to]) == {to: 250}


REFUSING = """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE 'the disk is full' USING ERRCODE = 'disk_full'; END$$;
    CREATE TRIGGER refusing BEFORE INSERT ON conversations_inboundemail
    FOR EACH ROW EXECUTE FUNCTION refuse()"""


def test_lmtp_defers_mails_that_the_database_rejects(
    lmtp_server: Lmtp, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    talk = begin()
    to = reply_address(talk.public_id)
    with connection.cursor() as cursor:
        cursor.execute(REFUSING)
    try:
        assert lmtp_server.deliver(letter(talk).as_bytes(), [to]) == {to: 451}
        assert words_of(talk) == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse() CASCADE")
    assert lmtp_server.deliver(letter(talk).as_bytes(), [to]) == {to: 250}
    assert words_of(talk) != []


RIGHT = {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}


def postmark(to: str, raw: str) -> str:
    return json.dumps(
        {
            "FromFull": {"Email": VISITOR, "Name": "Jérôme"},
            "ToFull": [{"Email": to, "Name": ""}],
            "OriginalRecipient": to,
            "Subject": "Déjà reçu",
            "MessageID": str(uuid.uuid4()),
            "RawEmail": raw,
            "Headers": [],
            "Attachments": [],
        }
    )


@pytest.mark.parametrize("has_raw", [True, False])
def test_webhooks_accept_unencoded_headers(
    talk: Conversation, webhooks: None, client: Client, has_raw: bool
) -> None:
    to = reply_address(talk.public_id)
    raw = (
        f"From: Jérôme 😀 <{VISITOR}>\r\nTo: Équipe <{to}>\r\nSubject: Déjà reçu\r\n"
        "Message-ID: <é@example.org>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        "Déjà reçu.\r\n"
    )
    payload = json.loads(postmark(to, raw))
    if not has_raw:
        del payload["RawEmail"]
        payload |= {
            "TextBody": "Déjà reçu.",
            "HtmlBody": "",
            "From": f"Jérôme 😀 <{VISITOR}>",
            "To": f"Équipe <{to}>",
            "Headers": [
                {"Name": "Message-ID", "Value": "<é@example.org>"},
                {"Name": "X-Team", "Value": "Équipe 😀"},
            ],
        }
    taken = client.post(
        "/mail/in/postmark/inbound/", payload, content_type="application/json", headers=RIGHT
    )
    assert taken.status_code == 200
    assert words_of(talk) == ["Déjà reçu."]


def test_webhooks_accept_mails_of_blocked_visitors_without_an_error(
    talk: Conversation, webhooks: None, client: Client
) -> None:
    blocks.block(talk, reason="rude", until=None, by=Agent.objects.get().user, at=NOW)
    to = reply_address(talk.public_id)
    taken = client.post(
        "/mail/in/postmark/inbound/",
        postmark(to, letter(talk).as_string()),
        content_type="application/json",
        headers=RIGHT,
    )
    assert taken.status_code == 200
    assert Reply.objects.get().reason == "the visitor is blocked"


@pytest.mark.parametrize(
    "damage",
    [
        b"Subject: =?x?b?Q?=\r\n",
        b"Content-Type: text/plain; charset=punycode\r\n",
        b"Content-Type: text/plain; charset=idna\r\n",
        b'Content-Type: text/plain; charset="a\0b"\r\n',
        b"Content-Type: text/plain; charset*0*=utf-8''x; charset*=?1=y\r\n",
        b"Content-Type: text/plain; charset*=utf-8''%ff\r\n",
        b"Content-Disposition: inline; filename==?x?b?Q?=\r\n",
    ],
)
def test_a_damaged_header_loses_no_text(talk: Conversation, damage: bytes) -> None:
    head = f"From: {VISITOR}\r\nMessage-ID: <{uuid.uuid4()}@example.org>\r\n".encode()
    raw = head + damage + b"\r\nBrass, please. \xc3\xa9\xff\r\n"
    assert replies.take(raw, [reply_address(talk.public_id)], at=NOW) == [ReplyOutcome.ACCEPTED]
    assert words_of(talk)[0].startswith("Brass, please.")


def test_a_link_with_control_characters_loses_no_text(talk: Conversation) -> None:
    mail = letter(talk)
    html = "<p>Brass. <a href='http://example.org/\x1c&#28;x'>See</a></p>"
    mail.set_content(html, subtype="html")
    take(mail, reply_address(talk.public_id))
    assert words_of(talk) == ["Brass. See <http://example.org/x>"]
