"""Mails delivered to a real server, and servers that refuse or do not answer."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import translation

from accounts.models import Agent, Website
from conversations import surveys
from conversations.lifecycle import actors, verbs
from conversations.messages import sending
from conversations.models import Address, Author, CloseReason, Conversation, MessageTranslation
from messenger.mail import addresses, decisions, delivery, pending_mails
from messenger.mail.compose import NAME_LIMIT, Composed, one_line
from messenger.mail.links import guest_of
from messenger.mail.reply_addresses import conversation_of
from messenger.models import Attempt, Mail, MailKind, MailStatus, Sender
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    GroupFactory,
    RuleFactory,
    StepFactory,
    WebsiteFactory,
    on_desk,
)
from tests.messenger.mailing import VISITOR, MailServer, free_port, mail_server, text_of

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def nobody_on_site() -> None:
    cache.clear()


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with mail_server(settings) as running:
        yield running


def begin(**website: Any) -> Conversation:
    """Create a conversation on Alice's desk whose visitor asked something and left an address."""
    site = WebsiteFactory(**{"name": "Maison Céleste", "domains": ["www.example.com"], **website})
    agent: Agent = AgentFactory(display_name="Alice")
    step = StepFactory(
        rule=RuleFactory(website=site), group=GroupFactory(website=site, members=[agent])
    )
    conversation = on_desk(step, agent)
    Conversation.objects.filter(pk=conversation.pk).update(
        page_url="https://www.example.com/lamps/?colour=oak#top"
    )
    say(conversation, Author.VISITOR, "Is it <b>oak</b> & safe?")
    addresses.give(conversation.visitor, VISITOR, at=NOW)
    conversation.refresh_from_db()
    return conversation


def say(conversation: Conversation, author: Author, body: str) -> None:
    sending.add(conversation.pk, author=author, body=body, client_id=uuid.uuid4(), at=NOW)


def schedule_mail(conversation: Conversation, body: str = "It is oak.") -> Mail:
    say(conversation, Author.AGENT, body)
    assert pending_mails.look(at=NOW + MINUTE) == 1
    return Mail.objects.get(status=MailStatus.OWED)


def send(minutes: int = 1) -> int:
    return delivery.send_due(at=NOW + minutes * MINUTE)


@pytest.fixture
def talk(db: None) -> Conversation:
    return begin()


def test_the_mail_contains_the_brand_the_agent_and_both_messages(
    talk: Conversation, server: MailServer
) -> None:
    """R17-R20."""
    talk.website.logo_url = "https://cdn.example.com/logo.png"
    talk.website.save()
    mail = schedule_mail(talk)
    assert send() == 1
    (sent,) = server.mails
    assert str(sent["From"]) == "Maison Céleste <hello@mail.example.com>"
    assert str(sent["To"]) == VISITOR
    assert str(sent["Subject"]) == "Alice de Maison Céleste vous a répondu"
    html, text = text_of(sent, "html"), text_of(sent)
    for words in (html, text):
        assert "Alice" in words
        assert "It is oak." in words
    assert "Is it <b>oak</b> & safe?" in text
    assert "Is it &lt;b&gt;oak&lt;/b&gt; &amp; safe?" in html
    assert 'src="https://cdn.example.com/logo.png"' in html
    mail.refresh_from_db()
    assert mail.status == MailStatus.SENT
    assert [attempt.was_accepted for attempt in mail.attempts.all()] == [True]


def test_the_mail_has_the_translation_that_was_there_and_the_original(
    talk: Conversation, server: MailServer
) -> None:
    mail = schedule_mail(talk, "C’est du chêne.")
    MessageTranslation.objects.create(
        conversation=talk,
        seq=mail.to_seq,
        language="en",
        is_for_visitor=True,
        text="It is oak.",
        state="done",
        made_at=NOW,
    )
    send()
    text = text_of(server.mails[0])
    expected = ["It is oak.", "Traduit par une machine. L’original\xa0:", "C’est du chêne."]
    assert [text.index(words) for words in expected] == sorted(map(text.index, expected))
    # One that came later is in no mail that is composed again to recognise its quote.
    MessageTranslation.objects.update(made_at=NOW + 10 * MINUTE)
    assert "It is oak." not in Composed(Mail.objects.get()).texts()[1]


def test_the_mail_has_headers_of_an_automatic_mail(talk: Conversation, server: MailServer) -> None:
    mail = schedule_mail(talk)
    send()
    (sent,) = server.mails
    assert sent["Message-ID"] == f"<{mail.public_id}@mail.example.com>"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"/messenger/{talk.website.key}/unsubscribe/" in sent["List-Unsubscribe"]
    assert conversation_of(sent["Reply-To"].addresses[0].addr_spec) == talk.public_id
    assert "text/plain" in [part.get_content_type() for part in sent.walk()]
    assert len(server.envelopes[0].rcpt_tos) == 1


def test_styles_are_inlined_and_scripts_are_absent(talk: Conversation, server: MailServer) -> None:
    schedule_mail(talk)
    send()
    html = text_of(server.mails[0], "html")
    assert 'class="button"' in html
    assert "background-color: #2f5d50" in html.split('class="button"')[1][:200]
    assert "prefers-color-scheme: dark" in html
    assert "<script" not in html


def test_the_button_links_to_the_page_with_a_signed_token(
    talk: Conversation, server: MailServer
) -> None:
    """R21, C11: behind the #, so that it reaches neither the brand's server nor its logs."""
    schedule_mail(talk)
    send()
    text = text_of(server.mails[0])
    (link,) = [line for line in text.splitlines() if line.startswith("https://www.example.com")]
    page, _hash, word = link.partition("#causerie=")
    assert page == "https://www.example.com/lamps/?colour=oak"
    guest = guest_of(word)
    assert guest is not None
    assert (guest.visitor, guest.conversation) == (talk.visitor, talk.public_id)


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example.net/",
        "https://evil.example.net\\@shop.example.com/",
        "https://evil.example.net\\.example.com/",
        "https://evil.example.net@www.example.com/",
        "javascript:alert(1)",
        "",
    ],
)
def test_pages_outside_the_website_are_never_linked(
    talk: Conversation, server: MailServer, page: str
) -> None:
    Website.objects.update(domains=["www.example.com", "*.example.com"])
    Conversation.objects.update(page_url=page)
    talk.refresh_from_db()
    schedule_mail(talk)
    send()
    text = text_of(server.mails[0])
    assert "https://www.example.com/#causerie=" in text
    assert "evil" not in text


def test_the_mail_of_a_closed_conversation_links_to_its_survey(
    talk: Conversation, server: MailServer
) -> None:
    """R22, C42."""
    say(talk, Author.AGENT, "It is. Good-bye!")
    agent = Agent.objects.get()
    verbs.close(
        talk.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=NOW + MINUTE
    )
    pending_mails.look(at=NOW + MINUTE)
    send()
    assert "Relire et donner votre avis" in text_of(server.mails[0])
    surveys.answer(talk.pk, csat=5, nps=None, comment="", at=NOW + MINUTE)
    with translation.override("fr"):
        again = Composed(Mail.objects.get()).message()
    assert "Relire la conversation" in again.body


def test_the_websites_own_sender_is_used(talk: Conversation, server: MailServer) -> None:
    Sender.objects.create(website=talk.website, name="Céleste, « SAV »", email="sav@celeste.fr")
    schedule_mail(talk)
    send()
    (sender,) = server.mails[0]["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Céleste, « SAV »", "sav@celeste.fr")


@pytest.mark.parametrize(
    "name",
    ["Evil\r\nBcc: all@example.org", 'A "quoted" <b>name</b>, Inc.', "\u2028x\x1by", "é" * 300],
)
def test_names_cannot_inject_headers(talk: Conversation, server: MailServer, name: str) -> None:
    Sender.objects.create(website=talk.website, name="Maison")
    Sender.objects.update(name=name[:100])
    Agent.objects.update(display_name=name[:60])
    schedule_mail(talk)
    assert send() == 1
    (sent,) = server.mails
    assert sent["Bcc"] is None
    assert server.envelopes[0].rcpt_tos == [VISITOR]
    # Python reads a blank between two encoded words, where RFC 2047 has none.
    shown = sent["From"].addresses[0].display_name.replace(" ", "")
    assert shown == one_line(name[:100]).replace(" ", "")
    assert "<b>name" not in text_of(sent, "html")


def test_a_long_conversation_is_cut_and_earlier_messages_are_counted(
    talk: Conversation, server: MailServer
) -> None:
    for number in range(14):
        say(talk, Author.AGENT, f"Answer {number} " + "word " * 600)
    pending_mails.look(at=NOW + MINUTE)
    send()
    text = text_of(server.mails[0])
    assert "Answer 13" in text
    assert "Answer 3 " not in text
    assert "4 messages précédents" in text
    assert len(text) < 25_000


def test_a_temporary_refusal_is_retried_with_the_same_message_id(
    talk: Conversation, server: MailServer
) -> None:
    mail = schedule_mail(talk)
    server.to_data = ["451 4.7.1 Greylisted"]
    assert send(1) == 0
    mail.refresh_from_db()
    assert (mail.status, mail.due_at) == (MailStatus.OWED, NOW + 2 * MINUTE)
    assert send(1) == 0
    assert send(2) == 1
    assert [attempt.answer for attempt in mail.attempts.all()] == [
        "451 4.7.1 Greylisted",
        "accepted",
    ]
    assert server.mails[0]["Message-ID"] == f"<{mail.public_id}@mail.example.com>"


def test_a_permanently_refused_address_is_recorded_and_not_retried(
    talk: Conversation, server: MailServer
) -> None:
    mail = schedule_mail(talk)
    server.to_rcpt = ["550 5.1.1 No such user"]
    assert send() == 0
    mail.refresh_from_db()
    assert (mail.status, mail.reason) == (MailStatus.FAILED, "550 5.1.1 No such user")
    assert Address.objects.get().refused_at == NOW + MINUTE
    assert send(60 * 24) == 0
    assert mail.attempts.count() == 1


def test_retries_end_when_the_server_stays_unreachable(talk: Conversation, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    mail = schedule_mail(talk)
    for moment in range(1, 2000):
        send(moment)
    mail.refresh_from_db()
    assert mail.status == MailStatus.FAILED
    assert mail.attempts.count() == len(decisions.RETRIES) + 1


def test_a_mail_is_cancelled_when_its_messages_are_read(
    talk: Conversation, server: MailServer
) -> None:
    mail = schedule_mail(talk)
    Conversation.objects.update(visitor_read_seq=2)
    assert send() == 0
    mail.refresh_from_db()
    assert mail.status == MailStatus.CANCELLED
    assert server.mails == []
    assert Attempt.objects.count() == 0


def test_a_mail_is_cancelled_when_the_address_changes(
    talk: Conversation, server: MailServer
) -> None:
    mail = schedule_mail(talk)
    Address.objects.update(email="new@example.org")
    assert send() == 0
    mail.refresh_from_db()
    assert mail.status == MailStatus.CANCELLED


def test_a_worker_killed_after_delivery_causes_one_repeat_at_most(
    talk: Conversation, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = schedule_mail(talk)

    class Killed(BaseException):
        """Like SIGKILL: none of our code runs any more."""

    def die(*_values: Any, **_more: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(delivery, "_record", die)
        for minutes in (1, 5, 9):
            try:
                delivery.send_due(at=NOW + minutes * MINUTE)
            except Killed:
                continue
    assert len(server.mails) == 2
    assert len({sent["Message-ID"] for sent in server.mails}) == 1
    mail.refresh_from_db()
    assert mail.status == MailStatus.FAILED
    assert [attempt.ended_at for attempt in mail.attempts.all()] == [None, None]


def test_a_mail_of_a_killed_worker_is_sent_after_its_lease_expires(
    talk: Conversation, server: MailServer
) -> None:
    mail = schedule_mail(talk)
    assert delivery._claim(at=NOW + MINUTE) is not None
    assert send(2) == 0
    assert send(5) == 1
    mail.refresh_from_db()
    assert mail.status == MailStatus.SENT


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_send_each_mail_once(settings: Any) -> None:
    talks = [begin() for _ in range(5)]
    for talk in talks:
        say(talk, Author.AGENT, "It is oak.")
    assert pending_mails.look(at=NOW + MINUTE) == 5
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        try:
            send()
        finally:
            connection.close()

    with mail_server(settings) as server:
        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert len(server.mails) == 5
    assert len({sent["Message-ID"] for sent in server.mails}) == 5
    assert set(Mail.objects.values_list("status", flat=True)) == {MailStatus.SENT}


def test_a_failing_mail_does_not_delay_others(server: MailServer, db: None) -> None:
    first, second = begin(), begin()
    say(first, Author.AGENT, "One.")
    say(second, Author.AGENT, "Two.")
    pending_mails.look(at=NOW + MINUTE)
    server.to_rcpt = ["450 4.2.0 Busy"]
    assert send() == 1


def test_without_a_reply_mailbox_mails_do_not_invite_replies(
    talk: Conversation, server: MailServer, settings: Any
) -> None:
    settings.MAIL_REPLY_TO = ""
    schedule_mail(talk)
    send()
    (sent,) = server.mails
    assert sent["Reply-To"] is None
    assert "##-" not in text_of(sent)
    assert "personne ne lirait" in text_of(sent)


def test_without_a_server_mails_are_written_to_files(
    talk: Conversation, settings: Any, tmp_path: Any
) -> None:
    settings.EMAIL_BACKEND = "messenger.mail.file_backend.Backend"
    settings.MAIL_FOLDER = tmp_path
    mail = schedule_mail(talk)
    assert send() == 1
    (file,) = tmp_path.iterdir()
    assert file.name == f"{mail.public_id}@localhost.eml"
    assert b"multipart/alternative" in file.read_bytes()


def test_the_closing_mail_is_marked_as_an_automatic_reply(
    talk: Conversation, server: MailServer
) -> None:
    pending_mails.schedule_closing_mail(talk, talk.visitor.address, at=NOW)
    assert send() == 1
    assert server.mails[0]["Auto-Submitted"] == "auto-replied"
    assert Mail.objects.get().kind == MailKind.CLOSED


def test_names_are_limited_to_one_line_and_a_maximum_length() -> None:
    assert one_line("a\r\n b\tc\x00") == "a b c"
    assert len(one_line("x" * 1000)) == NAME_LIMIT
