"""E-mail as an inbox, with a real LMTP entry point, a real mail server and a real mailbox."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage

from conversations.models import (
    Conversation,
    InboundEmail,
    InboundMessage,
    Inbox,
    MailboxPosition,
    OutboundMessage,
    Visitor,
)
from core.events import outbox
from messenger.channels import outbound
from messenger.channels.email import intake, mailboxes
from messenger.channels.email.intake import Outcome
from tests.clock import NOW
from tests.messenger.channels.telegram_server import PICTURE
from tests.messenger.channels.world import a_step, an_agent, an_inbox, answer
from tests.messenger.mailing import Lmtp, MailServer, free_port, mail_server, text_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]
SUPPORT = "support@shop.example"
JEANNE = "jeanne@example.org"
NOBODY = 65534


@pytest.fixture
def smtp(settings: Any) -> Iterator[MailServer]:
    with mail_server(settings) as server:
        yield server


def a_mailbox(**more: Any) -> Inbox:
    step = a_step(places=5)
    an_agent(step)
    options = {"address": SUPPORT, "signature": "L'équipe Céleste"}
    return an_inbox(step, kind="email", token="", secret="", options=options | more)


def a_mail(text: str = "Où est ma commande ?", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    given = {"From": f"Jeanne Moreau <{JEANNE}>", "To": SUPPORT, "Subject": "Commande 12"}
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in (given | {"Message-ID": "<1@example.org>"} | asked).items():
        mail[name] = value
    mail.set_content(text)
    return mail


def take(mail: EmailMessage, inbox: Inbox, **how: Any) -> Outcome:
    outcome = intake.take(mail.as_bytes(), inbox, at=NOW, **how)
    outbox.deliver_due()
    outbox.deliver_due()
    return outcome


def bodies() -> list[str]:
    return [one.body for one in Conversation.objects.get().messages.order_by("seq")]


def test_a_mail_begins_a_conversation_with_its_subject_and_can_be_opened_whole() -> None:
    inbox = a_mailbox()
    assert take(a_mail(), inbox) == Outcome.STORED
    talk = Conversation.objects.get()
    assert bodies() == ["Commande 12\n\nOù est ma commande ?"]
    assert (talk.inbox, talk.visitor.shown_name) == (inbox, "Jeanne Moreau")
    whole = InboundEmail.objects.get()
    assert (whole.seq, whole.subject, whole.sender) == (1, "Commande 12", JEANNE)
    with default_storage.open(whole.file) as stored:
        assert b"Commande 12" in stored.read()
    assert take(a_mail(), inbox) == Outcome.REPEATED
    assert InboundMessage.objects.get().file == ""


def test_attachments_are_kept() -> None:
    inbox = a_mailbox()
    mail = a_mail()
    mail.add_attachment(PICTURE, maintype="image", subtype="png", filename="théière.png")
    take(mail, inbox)
    words, picture = Conversation.objects.get().messages.order_by("seq")
    assert words.attachment is None
    assert picture.attachment is not None
    assert picture.attachment.name == "théière.png"


def test_an_answer_leaves_in_the_thread_with_signature_and_quote(smtp: MailServer) -> None:
    take(a_mail(), a_mailbox())
    answer(Conversation.objects.get(), "Elle est partie hier.")
    outbox.deliver_due()
    (mail,) = smtp.mails
    assert mail["From"] == f"Maison Céleste <{SUPPORT}>"
    assert mail["To"] == JEANNE
    assert mail["Subject"] == "Re: Commande 12"
    assert mail["In-Reply-To"] == mail["References"] == "<1@example.org>"
    text = text_of(mail).replace("\r\n", "\n")
    assert text.startswith("Elle est partie hier.\n\n-- \nL'équipe Céleste")
    assert "> Où est ma commande ?" in text
    row = OutboundMessage.objects.get()
    assert (row.status, row.provider_id) == ("sent", mail["Message-ID"])


def test_a_reply_threads_into_the_conversation_without_what_it_quotes(smtp: MailServer) -> None:
    inbox = a_mailbox()
    take(a_mail(), inbox)
    answer(Conversation.objects.get(), "Elle est partie hier.")
    outbox.deliver_due()
    quoted = "\n".join(f"> {line}" for line in text_of(smtp.mails[0]).splitlines())
    reply = a_mail(
        f"Merci beaucoup !\n\nLe lun. 5 mars 2035 à 10:00, M <{SUPPORT}> a écrit :\n{quoted}\n",
        Message_ID="<2@example.org>",
        In_Reply_To=smtp.mails[0]["Message-ID"],
        Subject="Re: Commande 12",
    )
    assert take(reply, inbox) == Outcome.STORED
    assert bodies()[-1] == "Merci beaucoup !"
    answer(Conversation.objects.get(), "Avec plaisir.")
    outbox.deliver_due()
    last = smtp.mails[-1]
    assert last["In-Reply-To"] == "<2@example.org>"
    assert last["Subject"] == "Re: Commande 12"
    assert last["References"].split()[:2] == ["<1@example.org>", "<2@example.org>"]


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({"Auto_Submitted": "auto-replied"}, Outcome.MACHINE),
        ({"Precedence": "bulk"}, Outcome.MACHINE),
        ({"List_Id": "<news.example.org>"}, Outcome.MACHINE),
        ({"List_Unsubscribe": "<https://example.org>"}, Outcome.MACHINE),
        ({"Subject": "Out of office: back on Monday"}, Outcome.MACHINE),
        ({"From": SUPPORT}, Outcome.LOOP),
        ({"From": "a@example.org, b@example.org"}, Outcome.NAMELESS),
    ],
)
def test_machines_lists_and_loops_begin_nothing_and_get_no_answer(
    headers: dict[str, str], outcome: Outcome, smtp: MailServer
) -> None:
    assert take(a_mail(**headers), a_mailbox()) == outcome
    assert not Visitor.objects.exists()
    assert smtp.mails == []


def test_a_bounce_without_a_sender_begins_nothing() -> None:
    assert take(a_mail(), a_mailbox(), sender="") == Outcome.MACHINE
    assert not Visitor.objects.exists()


def test_a_loop_of_undeclared_machines_ends() -> None:
    inbox = a_mailbox()
    outcomes = [take(a_mail(Message_ID=f"<{n}@x>"), inbox) for n in range(intake.HOURLY + 2)]
    assert outcomes[-3:] == [Outcome.STORED, Outcome.TOO_MANY, Outcome.TOO_MANY]


def a_report(message_id: str) -> EmailMessage:
    raw = (
        "From: MAILER-DAEMON@mx.example\nTo: support@shop.example\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nIt failed.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        "Final-Recipient: rfc822; jeanne@example.org\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 No such user\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {message_id}\nSubject: x\n\n--b--\n"
    )
    import email
    from email.policy import default

    parsed = email.message_from_string(raw, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_a_bounce_tells_the_agent_which_answer_was_not_delivered(smtp: MailServer) -> None:
    inbox = a_mailbox()
    take(a_mail(), inbox)
    answer(Conversation.objects.get(), "Elle est partie hier.")
    outbox.deliver_due()
    assert take(a_report("<somebody@elses>"), inbox) == Outcome.BOUNCE
    assert OutboundMessage.objects.get().status == "sent"
    assert take(a_report(str(smtp.mails[0]["Message-ID"])), inbox) == Outcome.BOUNCE
    row = OutboundMessage.objects.get()
    assert (row.status, row.reason) == ("failed", "550 5.1.1 No such user")
    assert len(bodies()) == 2


def test_what_the_mail_server_refuses_for_good_is_told_and_the_rest_is_tried_again(
    smtp: MailServer, clock: time_machine.Traveller
) -> None:
    take(a_mail(), a_mailbox())
    talk = Conversation.objects.get()
    smtp.to_rcpt = ["550 5.1.1 No such user"]
    smtp.to_data = ["451 4.3.0 Try again"]
    answer(talk, "un")
    answer(talk, "deux")
    outbox.deliver_due()
    states = list(OutboundMessage.objects.order_by("seq").values_list("status", flat=True))
    assert states == ["failed", "owed"]
    clock.shift(timedelta(seconds=3))
    outbound.send_due()
    assert OutboundMessage.objects.order_by("seq")[1].status == "sent"


def test_it_comes_by_lmtp(lmtp_server: Lmtp) -> None:
    a_mailbox()
    answers = lmtp_server.deliver(a_mail().as_bytes(), [SUPPORT, "nobody@shop.example"], JEANNE)
    assert answers == {SUPPORT: 250, "nobody@shop.example": 550}
    outbox.deliver_due()
    assert bodies() == ["Commande 12\n\nOù est ma commande ?"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="causerie-imap-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def dovecot(open_folder: Path) -> Iterator[tuple[int, Path]]:
    """A real IMAP server with one mailbox; its port, and the folder of new mails."""
    program = shutil.which("dovecot") or "/usr/sbin/dovecot"
    if not Path(program).exists():
        pytest.skip("Dovecot is not installed")
    port, me = free_port(), getpass.getuser()
    users = f"default_internal_user = {me}\ndefault_login_user = {me}\n"
    users += f"default_internal_group = {me}\n"
    if os.getuid() == 0:  # Its login processes refuse to be root; the package has users for them.
        users = ""
    owner, group = os.getuid() or NOBODY, os.getgid() or NOBODY  # No mailbox may belong to root.
    for name in ("", "new", "cur", "tmp"):
        (open_folder / "mail" / name).mkdir()
        os.chown(open_folder / "mail" / name, owner, group)
    (open_folder / "users").write_text(f"shop:{{PLAIN}}secret:{owner}:{group}::{open_folder}\n")
    settings = open_folder / "dovecot.conf"
    settings.write_text(
        f"base_dir = {open_folder}/run\nstate_dir = {open_folder}/run\n"
        f"log_path = {open_folder}/log\n"
        "protocols = imap\nssl = no\ndisable_plaintext_auth = no\n"
        f"mail_location = maildir:{open_folder}/mail\n"
        f"{users}"
        "first_valid_uid = 1\nfirst_valid_gid = 1\n"
        "service anvil {\n  chroot =\n}\nservice imap-login {\n  chroot =\n  inet_listener imap {\n"
        f"    address = 127.0.0.1\n    port = {port}\n  }}\n"
        "  inet_listener imaps {\n    port = 0\n  }\n}\n"
        f"passdb {{\n  driver = passwd-file\n  args = {open_folder}/users\n}}\n"
        f"userdb {{\n  driver = passwd-file\n  args = {open_folder}/users\n}}\n"
    )
    process = subprocess.Popen([program, "-F", "-c", str(settings)])
    try:
        for _try in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (open_folder / "log").read_text()
            time.sleep(0.1)
        yield port, open_folder / "mail" / "new"
    finally:
        process.terminate()
        process.wait(20)


def drop(folder: Path, mail: EmailMessage, name: str) -> None:
    (folder / f"{name}.host").write_bytes(mail.as_bytes())


def test_a_mailbox_is_fetched_from_where_it_stopped(
    dovecot: tuple[int, Path], settings: Any
) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    port, new = dovecot
    inbox = a_mailbox(imap_host=f"127.0.0.1:{port}", imap_user="shop")
    inbox.token = "secret"
    inbox.save()
    assert mailboxes.fetch_all() == 0
    assert Inbox.objects.get().trouble == ""
    drop(new, a_mail(), "1")
    assert mailboxes.fetch_all() == 1
    assert mailboxes.fetch_all() == 0
    MailboxPosition.objects.update(uid=0)  # as after a crash before the position was stored
    assert mailboxes.fetch_all() == 1
    outbox.deliver_due()
    assert bodies() == ["Commande 12\n\nOù est ma commande ?"]
    inbox.token = "wrong"
    inbox.save()
    mailboxes.fetch_all()
    assert Inbox.objects.get().trouble == mailboxes.REFUSED


def test_a_mailbox_that_cannot_be_reached_is_shown_beside_its_inbox(settings: Any) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    inbox = a_mailbox(imap_host=f"127.0.0.1:{free_port()}", imap_user="shop")
    mailboxes.fetch_all()
    assert Inbox.objects.get(pk=inbox.pk).trouble == mailboxes.AWAY
    settings.PROVIDERS_MAY_BE_PRIVATE = False
    mailboxes.fetch_all()
    assert Inbox.objects.get(pk=inbox.pk).trouble == mailboxes.FORBIDDEN
