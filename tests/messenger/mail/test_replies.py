"""Answers by e-mail: through a real entry point, reduced to what was written, only from the
visitor."""

from __future__ import annotations

import smtplib
import time
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Agent
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.deadlines import database_now
from conversations.lifecycle.transitions import Status
from conversations.messages import validators
from conversations.models import Address, Author, CloseReason, Conversation
from messenger import tasks
from messenger.mail import delivery, lmtp, pending_mails, pieces, replies
from messenger.mail.parsing import parse
from messenger.mail.reply_addresses import conversation_of, reply_address
from messenger.models import Mail, MailKind, Reply, ReplyOutcome
from tests.clock import NOW
from tests.messenger.letters import (
    MINUTE,
    begin,
    letter,
    say,
    take,
    words_of,
)
from tests.messenger.mailing import VISITOR, Lmtp, mail_server, reply_to, text_of


@pytest.fixture(autouse=True)
def nobody_on_site() -> None:
    cache.clear()


def mailed(conversation: Conversation, settings: Any) -> EmailMessage:
    """Return the mail that the visitor got for an answer."""
    say(conversation, Author.AGENT, "It is oak.\n> really")
    pending_mails.look(at=NOW + MINUTE)
    with mail_server(settings) as server:
        assert delivery.send_due(at=NOW + MINUTE) == 1
    return server.mails[0]


def test_a_reply_becomes_a_message_without_the_quote(talk: Conversation, settings: Any) -> None:
    """B9."""
    sent = mailed(talk, settings)
    assert (
        take(
            reply_to(sent, "Thank you!\n\nAnd the foot?"),
            str(sent["Reply-To"].addresses[0].addr_spec),
        )
        == ReplyOutcome.ACCEPTED
    )
    assert words_of(talk) == ["Thank you!\n\nAnd the foot?"]
    talk.refresh_from_db()
    assert talk.visitor_read_seq == talk.last_seq == 3


def test_a_mail_delivered_twice_becomes_one_message(talk: Conversation) -> None:
    mail, to = letter(talk), reply_address(talk.public_id)
    assert [take(mail, to), take(mail, to)] == [ReplyOutcome.ACCEPTED, ReplyOutcome.IGNORED]
    assert words_of(talk) == ["Thank you!"]


def test_a_mail_without_message_id_is_identified_by_its_bytes(talk: Conversation) -> None:
    mail, to = letter(talk), reply_address(talk.public_id)
    del mail["Message-ID"]
    assert [take(mail, to), take(mail, to)] == [ReplyOutcome.ACCEPTED, ReplyOutcome.IGNORED]


@pytest.mark.parametrize(
    "sender",
    [
        "other@example.org",
        f"{VISITOR}, other@example.org",
        f'"{VISITOR}" <other@example.org>',
        "",
        f"{VISITOR}.evil.net",
    ],
)
def test_only_the_visitors_own_address_is_accepted(talk: Conversation, sender: str) -> None:
    mail = letter(talk)
    del mail["From"]
    raw = f"From: {sender}\r\n".encode() + mail.as_bytes()
    assert take(raw, reply_address(talk.public_id)) == ReplyOutcome.REFUSED
    assert words_of(talk) == []
    assert Reply.objects.get().reason == "not from the visitor's address"


def test_two_from_headers_are_refused(talk: Conversation) -> None:
    raw = b"From: other@example.org\r\n" + letter(talk).as_bytes()
    assert take(raw, reply_address(talk.public_id)) == ReplyOutcome.REFUSED


def test_an_unsigned_reply_address_is_refused_and_logged(
    talk: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    good = reply_address(talk.public_id)
    local, _at, domain = good.partition("@")
    for forged in (
        f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}",
        f"{local.partition('+')[0]}@{domain}",
        f"{local[:-24]}@{domain}",
        "reply+@x",
        "",
    ):
        assert take(letter(talk), forged) == ReplyOutcome.REFUSED
    assert words_of(talk) == []
    assert "unknown reply address" in caplog.text
    assert VISITOR not in caplog.text


def test_the_sender_of_a_stray_mail_is_forgotten(talk: Conversation, settings: Any) -> None:
    settings.STRAY_MAIL_DAYS = 7
    assert take(letter(talk), "reply+unsigned@x") == ReplyOutcome.REFUSED
    assert take(letter(talk), reply_address(talk.public_id)) == ReplyOutcome.ACCEPTED
    stray = Reply.objects.get(conversation=None)
    assert VISITOR in stray.sender
    now = database_now()
    for age, left in ((6, 2), (8, 1)):
        Reply.objects.update(received_at=now - timedelta(days=age))
        assert tasks.forget_stray_mails() == 2 - left
        assert Reply.objects.count() == left
    assert Reply.objects.get().conversation_id == talk.pk


def test_a_reply_address_outlives_a_change_of_the_key(talk: Conversation, settings: Any) -> None:
    before, old = reply_address(talk.public_id), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key " * 6, [old]
    after = reply_address(talk.public_id)
    assert before != after
    assert [conversation_of(address) for address in (before, after)] == [talk.public_id] * 2
    settings.SECRET_KEY_FALLBACKS = []
    assert [conversation_of(address) for address in (before, after)] == [None, talk.public_id]


def test_a_reply_address_accepts_mails_for_its_own_conversation_only(talk: Conversation) -> None:
    other = begin()
    assert take(letter(talk), reply_address(other.public_id)) == ReplyOutcome.ACCEPTED
    assert words_of(talk) == []
    Address.objects.filter(visitor=other.visitor).update(email="else@example.org")
    assert take(letter(other), reply_address(other.public_id)) == ReplyOutcome.REFUSED


def test_addresses_are_case_insensitive(talk: Conversation) -> None:
    shouted = reply_address(talk.public_id).upper()
    assert conversation_of(shouted) == talk.public_id
    mail = letter(talk)
    del mail["From"]
    mail["From"] = VISITOR.upper()
    assert take(mail, shouted) == ReplyOutcome.ACCEPTED


def test_the_local_part_fits_into_64_characters(talk: Conversation, settings: Any) -> None:
    settings.MAIL_REPLY_TO = "ten_letter@in.example.com"
    assert len(reply_address(talk.public_id).partition("@")[0]) <= 64


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Auto-Submitted", "auto-replied"),
        ("Auto-Submitted", "auto-generated; x=y"),
        ("Precedence", "bulk"),
        ("X-Auto-Response-Suppress", "All"),
        ("X-Autoreply", "yes"),
        ("Return-Path", "<>"),
    ],
)
def test_automatic_mails_become_no_message(talk: Conversation, name: str, value: str) -> None:
    assert (
        take(letter(talk, **{name: value}), reply_address(talk.public_id)) == ReplyOutcome.IGNORED
    )
    assert words_of(talk) == []
    assert Mail.objects.count() == 0


def test_an_unmarked_mail_loop_is_stopped(talk: Conversation) -> None:
    to = reply_address(talk.public_id)
    outcomes = [take(letter(talk, f"Loop {n}"), to) for n in range(replies.HOURLY + 3)]
    assert outcomes.count(ReplyOutcome.ACCEPTED) == replies.HOURLY
    assert outcomes[-1] == ReplyOutcome.IGNORED


def test_a_reply_wakes_a_snoozed_conversation(talk: Conversation) -> None:
    """R113, C2."""
    agent = Agent.objects.get()
    verbs.snooze(
        talk.pk,
        until=NOW + timedelta(hours=3),
        keep=True,
        auto_close=False,
        actor=actors.agent(agent.user),
        at=NOW,
    )
    assert take(letter(talk), reply_address(talk.public_id)) == ReplyOutcome.ACCEPTED
    talk.refresh_from_db()
    assert talk.status == Status.ASSIGNED


def test_a_reply_to_a_closed_conversation_gets_one_closing_mail(
    talk: Conversation, settings: Any
) -> None:
    agent = Agent.objects.get()
    actor = actors.agent(agent.user)
    verbs.close(talk.pk, reason=CloseReason.RESOLVED, actor=actor, at=NOW)
    mail, to = letter(talk), reply_address(talk.public_id)
    assert [take(mail, to), take(mail, to)] == [ReplyOutcome.CLOSED, ReplyOutcome.IGNORED]
    assert Mail.objects.get().kind == MailKind.CLOSED
    with mail_server(settings) as server:
        assert delivery.send_due(at=NOW + 5 * MINUTE) == 1
    assert "après la fin de la conversation" in text_of(server.mails[0])
    # And that mail itself, sent back by a machine, does nothing.
    assert take(server.mails[0], to) == ReplyOutcome.IGNORED


def test_a_long_mail_is_split_into_messages(talk: Conversation) -> None:
    paragraph = "word " * 100
    body = "\n\n".join([paragraph] * 20)
    assert take(letter(talk, body), reply_address(talk.public_id)) == ReplyOutcome.ACCEPTED
    parts = words_of(talk)
    assert 1 < len(parts) <= pieces.PARTS
    assert all(len(part) <= validators.BODY_LIMIT for part in parts)
    assert "".join(" ".join(parts).split()) == "".join(body.split())


def test_files_are_mentioned_and_not_stored(talk: Conversation) -> None:
    mail = letter(talk)
    mail.add_attachment(b"x" * 1000, maintype="image", subtype="png", filename="lamp.png")
    assert take(mail, reply_address(talk.public_id)) == ReplyOutcome.ACCEPTED
    thanks, note = words_of(talk)
    assert thanks == "Thank you!"
    assert "1 fichier" in note
    assert "lamp.png" in note


GMAIL = """<div dir="ltr">Merci beaucoup&nbsp;!<br>Et le <b>pied</b> ?</div><br>
<div class="gmail_quote"><div dir="ltr">Le lun. 5 mars 2035, Maison a écrit :</div>
<blockquote>Il est en chêne.</blockquote></div>"""
OUTLOOK = """<html><body><p>Thank you.</p><div id="divRplyFwdMsg"><b>From:</b> Maison<br>
<b>Sent:</b> Monday</div><p>It is oak.</p></body></html>"""


@pytest.mark.parametrize(
    ("html", "expected"),
    [(GMAIL, ["Merci beaucoup !", "Et le pied ?"]), (OUTLOOK, ["Thank you."])],
)
def test_an_html_only_mail_is_read(html: str, expected: list[str]) -> None:
    mail = EmailMessage()
    mail["From"] = VISITOR
    mail.set_content(html, subtype="html")
    lines = [line.strip() for line in parse(mail.as_bytes()).body.splitlines() if line.strip()]
    assert lines == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Yes.\n\nLe lun. 5 mars 2035 à 10:01, Maison <a@b.c> a écrit :\n\n> Il est en chêne.",
            "Yes.",
        ),
        ("Yes.\n\nOn Mon, Mar 5, 2035 at 10:01 AM Maison <a@b.c> wrote:\n> It is", "Yes."),
        ("Yes.\n\nAm 05.03.2035 um 10:01 schrieb Maison <a@b.c>:\n> It is", "Yes."),
        ("Yes.\n\n-----Original Message-----\nFrom: Maison\nSent: Monday\n\nIt is", "Yes."),
        ("Yes.\n\n-- \nJeanne Martin\n+33 1 23 45 67 89", "Yes."),
        ("Yes.\n\nSent from my iPhone", "Yes."),
        ("Yes.\n\nEnvoyé de mon iPhone", "Yes."),
        ("Yes.\n\n> ##- Merci d’écrire votre réponse au-dessus -##\n> Alice", "Yes."),
        ("I wrote: 2 > 1 - is that so?", "I wrote: 2 > 1 - is that so?"),
        ("- one\n- two", "- one\n- two"),
    ],
)
def test_quotes_and_signatures_are_cut(text: str, expected: str) -> None:
    mail = EmailMessage()
    mail.set_content(text)
    assert parse(mail.as_bytes()).body == expected


HOSTILE: list[tuple[str, bytes]] = [
    ("nothing", b""),
    ("no end of headers", b"From: " + b"a" * 100_000),
    (
        "no such charset",
        b"From: jeanne@example.org\r\nContent-Type: text/plain; charset=klingon\r\n\r\nYes.",
    ),
    (
        "broken bytes",
        b"From: jeanne@example.org\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nYes \xff\xfe.",
    ),
    ("lying base64", b"From: jeanne@example.org\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!"),
    (
        "deep parts",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
        + b"--a\r\nContent-Type: message/rfc822\r\n\r\n" * 300,
    ),
    (
        "a broken header",
        b"From: =?utf-8?b?////?= <jeanne@example.org\r\nMessage-ID: =?x?q?=\r\n\r\nYes.",
    ),
    ("NUL", b"From: jeanne@example.org\r\nMessage-ID: <\x00>\r\n\r\nYes\x00no"),
    ("blanks", b"From: jeanne@example.org\r\n\r\n" + b" \n" * 200_000 + b"Yes."),
    ("marks", b"From: jeanne@example.org\r\n\r\n" + b">" * 300_000),
    ("underlines", b"From: jeanne@example.org\r\n\r\n" + b"_" * 300_000),
    ("wrote without end", b"From: jeanne@example.org\r\n\r\n" + b"On Mon, at " * 30_000),
    ("html soup", b"Content-Type: text/html\r\n\r\n" + b"<div><blockquote>" * 30_000),
    ("huge", b"From: jeanne@example.org\r\n\r\n" + b"word " * 4_000_000),
]


@pytest.mark.parametrize("raw", [raw for _name, raw in HOSTILE], ids=[name for name, _ in HOSTILE])
def test_any_mail_is_parsed_quickly_without_errors(raw: bytes) -> None:
    begun = time.process_time()
    parse(raw)
    assert time.process_time() - begun < 3


@pytest.mark.parametrize("raw", [raw for _name, raw in HOSTILE], ids=[name for name, _ in HOSTILE])
def test_every_mail_has_a_recorded_outcome(talk: Conversation, raw: bytes) -> None:
    take(raw, reply_address(talk.public_id))
    assert Reply.objects.count() == 1


def test_mails_are_delivered_over_lmtp(lmtp_server: Lmtp) -> None:
    first, second = begin(), begin()
    to = [reply_address(first.public_id), reply_address(second.public_id)]
    assert lmtp_server.deliver(letter(first).as_bytes(), to) == dict.fromkeys(to, 250)
    assert words_of(first) == words_of(second) == ["Thank you!"]


def test_lmtp_refuses_unknown_recipients_at_once(lmtp_server: Lmtp) -> None:
    talk = begin()
    good = reply_address(talk.public_id)
    strangers = [f"reply+{n}@causerie.localhost" for n in range(3)]
    answers = lmtp_server.deliver(letter(talk).as_bytes(), [*strangers, good])
    assert answers == {**dict.fromkeys(strangers, 550), good: 250}
    assert words_of(talk) == ["Thank you!"]


def test_the_number_of_recipients_is_limited(lmtp_server: Lmtp) -> None:
    talk = begin()
    good = reply_address(talk.public_id)
    with smtplib.LMTP("127.0.0.1", lmtp_server.port, timeout=20) as client:
        client.ehlo_or_helo_if_needed()
        client.mail(VISITOR)
        codes = [client.rcpt(good)[0] for _ in range(1000)]
    assert codes.count(250) == replies.RECIPIENTS
    assert set(codes[replies.RECIPIENTS :]) == {452}


def test_a_bounce_over_lmtp_is_ignored(lmtp_server: Lmtp) -> None:
    talk = begin()
    lmtp_server.deliver(letter(talk).as_bytes(), [reply_address(talk.public_id)], sender="")
    assert words_of(talk) == []
    assert Reply.objects.get().outcome == ReplyOutcome.IGNORED


def test_lmtp_refuses_a_mail_that_is_too_large(lmtp_server: Lmtp) -> None:
    talk = begin()
    with smtplib.LMTP("127.0.0.1", lmtp_server.port, timeout=20) as client:
        client.ehlo_or_helo_if_needed()
        code, _said = client.docmd("MAIL", f"FROM:<{VISITOR}> SIZE={lmtp.SIZE_LIMIT + 1}")
    assert code == 552
    assert words_of(talk) == []


def test_mails_are_delivered_by_webhook(talk: Conversation, webhooks: None, client: Client) -> None:
    to = reply_address(talk.public_id)
    postmark = {
        "FromFull": {"Email": VISITOR, "Name": "Jeanne"},
        "From": VISITOR,
        "ToFull": [{"Email": to, "Name": ""}],
        "To": to,
        "OriginalRecipient": to,
        "Subject": "Re",
        "MessageID": "1",
        "TextBody": "Thank you!",
        "HtmlBody": "",
        "Headers": [{"Name": "Message-ID", "Value": "<7@example.org>"}],
        "Attachments": [],
    }
    address, kind = "/mail/in/postmark/inbound/", "application/json"
    for wrong in ({}, {"Authorization": "Basic dXNlcjp3cm9uZw=="}):
        refused = client.post(address, postmark, content_type=kind, headers=wrong)
        assert refused.status_code == 400
    assert words_of(talk) == []
    right = {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}
    assert client.post(address, postmark, content_type=kind, headers=right).status_code == 200
    assert words_of(talk) == ["Thank you!"]
