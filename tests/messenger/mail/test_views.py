"""The entry points of e-mail: the visitor's address, the link of a mail, and unsubscribing by
it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.test import Client

from conversations.lifecycle import actors, verbs
from conversations.messages import sending
from conversations.models import Address, Author, CloseReason, Conversation, Visitor
from messenger import tickets
from messenger.mail import addresses, links, pending_mails, unsubscribing
from messenger.models import Mail, MailKind, Sender
from messenger.visitors import token_hash_for
from tests.clock import NOW
from tests.factories import AgentFactory, VisitorFactory, on_desk
from tests.messenger.mailing import VISITOR

if TYPE_CHECKING:
    from accounts.models import Agent, Website
    from routing.models import RuleStep
    from tests.messenger.conftest import Browser

TOKEN = "t" * 43


@pytest.fixture
def visitor(website: Website, browser: Browser) -> Visitor:
    browser.token = TOKEN
    visitor: Visitor = VisitorFactory(website=website, token=TOKEN)
    return visitor


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent: Agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def mail(visitor: Visitor, step: RuleStep, agent: Agent) -> Mail:
    """A mail that announced an answer."""
    conversation = on_desk(step, agent, visitor=visitor)
    addresses.give(visitor, VISITOR, at=NOW)
    for author, body in ((Author.VISITOR, "Is it oak?"), (Author.AGENT, "It is.")):
        sending.add(conversation.pk, author=author, body=body, client_id=uuid.uuid4(), at=NOW)
    return Mail.objects.create(
        conversation=conversation,
        kind=MailKind.ANSWER,
        to=VISITOR,
        from_seq=1,
        to_seq=2,
        created_at=NOW,
        due_at=NOW,
    )


# --- The address


def test_an_address_is_added_switched_off_changed_and_deleted(
    browser: Browser, visitor: Visitor
) -> None:
    """R6, R23-R25."""
    left = browser.post("email/", {"address": f"  {VISITOR.replace('example', 'EXAMPLE')} "})
    assert left.json() == {"email": {"address": VISITOR, "on": True, "refused": False}}
    off = browser.post("email/", {"on": False})
    assert off.json()["email"]["on"] is False
    assert browser.get("state/").json()["email"] == off.json()["email"]
    changed = browser.post("email/", {"address": "new@example.org"})
    assert changed.json()["email"] == {"address": "new@example.org", "on": True, "refused": False}
    assert browser.post("email/", {"address": None}).json() == {"email": None}
    assert not Address.objects.exists()
    assert browser.post("email/", {"on": True}).json() == {"email": None}


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "  ",
        "jeanne",
        "jeanne@",
        "a@b",
        "a b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org, b@example.org",
        "Jeanne <a@example.org>",
        f"{'a' * 250}@example.org",
        7,
        ["a@example.org"],
    ],
)
def test_an_invalid_address_is_refused_in_the_visitors_language(
    browser: Browser, visitor: Visitor, wrong: Any
) -> None:
    answer = browser.post("email/", {"address": wrong}, Accept_Language="fr")
    assert answer.status_code == 400
    assert "adresse e-mail" in answer.json()["error"]["message"]
    assert not Address.objects.exists()


def test_saving_an_address_clears_its_refusal(browser: Browser, visitor: Visitor) -> None:
    addresses.give(visitor, VISITOR, at=NOW)
    Address.objects.update(refused_at=NOW)
    assert browser.get("state/").json()["email"]["refused"] is True
    assert browser.post("email/", {"address": VISITOR}).json()["email"]["refused"] is False


def test_a_website_without_mails_accepts_no_address(
    browser: Browser, visitor: Visitor, website: Website
) -> None:
    Sender.objects.create(website=website, is_on=False)
    assert browser.post("email/", {"address": VISITOR}).status_code == 409
    assert b'"email": false' in browser.get().content


def test_no_address_is_accepted_without_a_mail_server(
    browser: Browser, visitor: Visitor, settings: Any
) -> None:
    settings.MAIL_IS_SENT = False
    assert browser.post("email/", {"address": VISITOR}).status_code == 409


def test_saving_an_address_requires_a_valid_token(browser: Browser, visitor: Visitor) -> None:
    browser.token = "nobody's"
    assert browser.post("email/", {"address": VISITOR}).status_code == 401


# --- The link


def test_a_link_opens_only_its_conversation(
    browser: Browser, mail: Mail, step: RuleStep, agent: Agent
) -> None:
    """C11."""
    other = on_desk(step, agent, visitor=mail.conversation.visitor)
    browser.token = links.word_for(mail)
    state = browser.get("state/").json()
    assert (state["guest"], state["email"], state["history"]) == (True, None, [])
    assert state["conversation"]["id"] == str(mail.conversation.public_id)
    mine, others = mail.conversation.public_id, other.public_id
    secret = mail.conversation.visitor.token_hash
    assert token_hash_for(browser.token, mine) == secret
    assert token_hash_for(browser.token, others) != secret


def test_a_link_cannot_begin_conversations_or_change_the_address(
    browser: Browser, mail: Mail
) -> None:
    browser.token = links.word_for(mail)
    begun = {"client_id": str(uuid.uuid4()), "body": "Another", "page_url": ""}
    assert browser.post("conversations/", begun).status_code == 401
    assert browser.post("email/", {"address": None}).status_code == 401
    assert Address.objects.count() == 1


def test_a_link_answers_the_survey_of_its_conversation_only(
    browser: Browser, mail: Mail, step: RuleStep, agent: Agent
) -> None:
    other = on_desk(step, agent, visitor=mail.conversation.visitor)
    sending.add(other.pk, author=Author.AGENT, body="x", client_id=uuid.uuid4(), at=NOW)
    for conversation in (mail.conversation, other):
        verbs.close(
            conversation.pk,
            reason=CloseReason.RESOLVED,
            actor=actors.agent(agent.user),
            at=NOW + timedelta(minutes=1),
        )
    browser.token = links.word_for(mail)
    state = browser.get("state/").json()
    assert (state["conversation"]["status"], state["conversation"]["survey"]) == ("closed", True)
    given = {"csat": 5, "nps": None, "comment": ""}
    assert browser.post(f"conversations/{other.public_id}/survey/", given).status_code == 404
    path = f"conversations/{mail.conversation.public_id}/survey/"
    assert browser.post(path, given).status_code == 204


def test_a_ticket_by_link_is_limited_to_one_conversation(browser: Browser, mail: Mail) -> None:
    browser.token = links.word_for(mail)
    holder = tickets.redeem(browser.post("ticket/", {}).json()["ticket"])
    visitor = mail.conversation.visitor
    assert holder == tickets.Holder(visitor.pk, str(mail.conversation.public_id), None)


def test_a_link_expires(browser: Browser, mail: Mail, settings: Any) -> None:
    with time_machine.travel(NOW, tick=False):
        browser.token = links.word_for(mail)
    with time_machine.travel(NOW + timedelta(days=settings.MAIL_LINK_DAYS), tick=False):
        assert browser.get("state/").status_code == 200
    with time_machine.travel(NOW + timedelta(days=settings.MAIL_LINK_DAYS, hours=1), tick=False):
        assert browser.get("state/").status_code == 401


def test_a_link_sent_to_a_former_address_is_refused(browser: Browser, mail: Mail) -> None:
    browser.token = links.word_for(mail)
    addresses.give(mail.conversation.visitor, "new@example.org", at=NOW)
    assert browser.get("state/").status_code == 401
    addresses.forget(mail.conversation.visitor, at=NOW)
    assert browser.get("state/").status_code == 401


def test_forged_and_foreign_links_are_refused(
    browser: Browser, mail: Mail, website: Website
) -> None:
    good = links.word_for(mail)
    head, _colon, signature = good.rpartition(":")
    swapped = f"mail.{uuid.uuid4().hex}:{good.split(':', 1)[1]}"
    for word in (f"{head}:{signature[::-1]}", swapped, "mail.", "mail.x:y:z", good[:-1]):
        browser.token = word
        assert browser.get("state/").status_code == 401, word
    website.pk = website.key = None  # type: ignore[assignment]
    website.key = "another"
    website.save()
    browser.base, browser.token = "/messenger/another/", good
    assert browser.get("state/").status_code == 401


# --- Leaving


def path_of(mail: Mail) -> str:
    url = unsubscribing.unsubscribe_url(mail)
    return url[url.index("/messenger/") :]


def test_one_click_unsubscribes_and_viewing_changes_nothing(client: Client, mail: Mail) -> None:
    """RFC 8058: a POST without cookie, token or page."""
    shown = client.get(path_of(mail))
    assert shown.status_code == 200
    assert VISITOR in shown.content.decode()
    assert Address.objects.get().wants_mail
    strict = Client(enforce_csrf_checks=True)
    strict.post(path_of(mail), {"List-Unsubscribe": "One-Click"})
    assert not Address.objects.get().wants_mail
    assert pending_mails.why_not(mail) == "the visitor has switched notifications off"
    strict.post(path_of(mail), {"on": "1"})
    assert Address.objects.get().wants_mail


def test_a_forged_unsubscribe_link_changes_nothing(client: Client, mail: Mail) -> None:
    path = path_of(mail)
    forged = f"{path[:-3]}{'a' if path[-3] != 'a' else 'b'}/"
    assert client.post(forged).status_code == 404
    assert Address.objects.get().wants_mail


def test_a_mail_to_a_former_address_cannot_unsubscribe_a_new_one(
    client: Client, mail: Mail
) -> None:
    addresses.give(mail.conversation.visitor, "new@example.org", at=NOW)
    page = client.post(path_of(mail)).content.decode()
    assert "new@example.org" not in page
    assert Address.objects.get().wants_mail


# --- The demo's mailbox


def test_the_demo_mailbox_shows_only_mails(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.MAIL_FOLDER = tmp_path / "mail"
    settings.MAIL_FOLDER.mkdir()
    (tmp_path / "secret.eml").write_text("secret")
    raw = (
        b"Subject: <b>Hi</b>\r\nTo: a@b.c\r\nContent-Type: text/html\r\n\r\n<head></head><p>Hi</p>"
    )
    (settings.MAIL_FOLDER / "1@localhost.eml").write_bytes(raw)
    page = client.get("/demo/mail/").content.decode()
    assert "&lt;b&gt;Hi&lt;/b&gt;" in page
    assert client.get("/demo/mail/1@localhost/").status_code == 200
    look = client.get("/demo/mail/1@localhost/look/")
    assert "sandbox" in look["Content-Security-Policy"]
    assert "script-src" not in look["Content-Security-Policy"]
    for name in ("..%2fsecret", "../secret", "none"):
        assert client.get(f"/demo/mail/{name}/look/").status_code == 404
    settings.DEMO = False
    assert client.get("/demo/mail/").status_code == 404


def test_a_visitor_with_a_token_is_not_a_guest(browser: Browser, mail: Mail, agent: Agent) -> None:
    """R15: the history is there as before."""
    verbs.close(
        mail.conversation.pk,
        reason=CloseReason.RESOLVED,
        actor=actors.agent(agent.user),
        at=NOW + timedelta(minutes=1),
    )
    state = browser.get("state/").json()
    assert state["guest"] is False
    assert [one["id"] for one in state["history"]] == [str(mail.conversation.public_id)]
    assert Conversation.objects.count() == 1
