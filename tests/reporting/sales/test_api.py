"""The entry points of transactions: a page's script, the API, a file; and the page that
explains."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Agent, Role
from accounts.supervision import EVERYTHING
from conversations.messages import sending
from conversations.models import Author, Conversation, Person
from reporting.figures import FIGURES, answers
from reporting.figures.period import Period
from reporting.figures.scope import Filters, Scope
from reporting.models import Origin, ShopKey, Transaction
from reporting.sales import imports, keys
from reporting.sales.recording import Invalid
from routing.models import RuleStep
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db


@pytest.fixture
def step() -> RuleStep:
    cache.clear()
    return StepFactory(rule__website__domains=["shop.example"])


@pytest.fixture
def alice(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def talk(step: RuleStep, alice: Agent) -> Conversation:
    """A conversation in which Alice wrote an hour ago."""
    at = timezone.now() - timedelta(hours=1)
    one = on_desk(step, alice, at=at)
    sending.add(one.pk, author=Author.AGENT, body="Voilà", client_id=uuid.uuid4(), at=at)
    return one


# --- The script of a page --------------------------------------------------------------------


def report_purchase(step: RuleStep, sent: object, origin: str = "https://shop.example") -> Any:
    return Client().post(
        f"/messenger/{step.rule.website.key}/transactions/",
        data=sent if isinstance(sent, str) else json.dumps(sent),
        content_type="text/plain",
        headers={"Origin": origin} if origin else {},
    )


def test_a_purchase_reported_twice_by_a_page_is_recorded_once(
    step: RuleStep, talk: Conversation, alice: Agent
) -> None:
    sent = {"id": "1001", "amount": 89.9, "currency": "EUR"}
    sent["visitor"] = str(talk.visitor.public_id)
    for _again in range(2):
        answer = report_purchase(step, sent)
        assert answer.status_code == 204
        assert answer["Access-Control-Allow-Origin"] == "https://shop.example"
    row = Transaction.objects.get()
    assert (row.amount, row.agent, row.origin) == (Decimal("89.90"), alice, Origin.SCRIPT)


@pytest.mark.parametrize(
    ("sent", "origin", "status"),
    [
        ({"id": "1", "amount": 1, "currency": "EUR"}, "https://evil.example", 403),
        ({"id": "1", "amount": 1, "currency": "EUR"}, "", 403),
        ({"id": "", "amount": 1, "currency": "EUR"}, "https://shop.example", 400),
        ({"id": "1", "amount": "much", "currency": "EUR"}, "https://shop.example", 400),
        ({"id": "1", "amount": None, "currency": "EUR"}, "https://shop.example", 400),
        ({"id": "1", "amount": 1, "currency": "euros"}, "https://shop.example", 400),
        ({"id": {"a": 1}, "amount": [], "currency": 3}, "https://shop.example", 400),
        ("[]", "https://shop.example", 400),
        ("{", "https://shop.example", 400),
    ],
)
def test_invalid_purchases_are_refused(
    step: RuleStep, sent: object, origin: str, status: int
) -> None:
    assert report_purchase(step, sent, origin).status_code == status
    assert not Transaction.objects.exists()


def test_reports_of_purchases_are_rate_limited(
    step: RuleStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messenger.views.purchases.MOST", 2)
    statuses = [
        report_purchase(step, {"id": str(n), "amount": 1, "currency": "EUR"}).status_code
        for n in range(4)
    ]
    assert statuses == [204, 204, 429, 429]
    assert report_purchase(step, {"id": "0", "amount": 2, "currency": "EUR"}).status_code == 429


# --- The API ---------------------------------------------------------------------------------


def shop(step: RuleStep) -> Any:
    _key, text = keys.make(step.rule.website, "Shop")

    def call(path: str, sent: object = None) -> tuple[int, Any]:
        client, headers = Client(), {"Authorization": f"Bearer {text}"}
        address = f"/api/v1/transactions/{path}"
        if sent is None:
            answer = client.get(address, headers=headers)
        else:
            answer = client.post(
                address, data=sent, content_type="application/json", headers=headers
            )
        return answer.status_code, answer.json()

    return call


def test_the_api_records_once_reads_and_refunds(
    step: RuleStep, talk: Conversation, alice: Agent
) -> None:
    call = shop(step)
    sold = {"id": "A-1", "amount": "50.00", "currency": "EUR"}
    sold["visitor"] = str(talk.visitor.public_id)
    status, data = call("", sold)
    assert (status, data["outcome"], data["agent"]) == (201, "attributed", "Alice")
    assert (data["conversation"], data["message_seq"]) == (talk.pk, 1)
    assert 3590 <= data["elapsed"] <= 3660
    assert call("", sold)[0] == 200
    assert call("", sold | {"amount": "51.00"})[0] == 409
    assert call("A-1/refunds/", {"id": "r1", "amount": "20.00"})[0] == 201
    assert call("A-1/refunds/", {"id": "r1", "amount": "20.00"})[0] == 200
    assert call("A-1/refunds/", {"id": "r1", "amount": "1.00"})[0] == 409
    assert call("A-1/refunds/", {"id": "r2", "amount": "30.01"})[0] == 400
    status, data = call("A-1/refunds/", {"id": "r2"})
    assert (status, data["refunded"], len(data["refunds"])) == (201, "50.00", 2)
    assert call("A-1/")[1] == data
    assert call("A-2/")[0] == call("A-2/refunds/", {"id": "r"})[0] == 404
    assert call("", {"id": "A-3", "amount": "-1", "currency": "EUR"})[0] == 400
    assert call("", {"id": "A-3", "amount": "1", "currency": "eur"})[0] == 400


def test_a_key_gives_access_only_to_transactions_of_its_website(step: RuleStep) -> None:
    other = StepFactory()
    assert shop(step)("", {"id": "1", "amount": "1", "currency": "EUR"})[0] == 201
    assert shop(other)("1/")[0] == 404
    for headers in ({}, {"Authorization": "Bearer shop_no"}, {"Authorization": "Basic x"}):
        answer = Client().get("/api/v1/transactions/1/", headers=headers)
        assert answer.status_code == 401
    boss = Client()
    log_in_freshly(boss, UserFactory(role=Role.ADMIN))
    assert boss.get("/api/v1/transactions/1/").status_code == 401
    _key, text = keys.make(step.rule.website, "Shop")
    headers = {"Authorization": f"Bearer {text}"}
    assert Client().get("/api/v1/conversations/", headers=headers).status_code == 401


def test_a_customer_is_identified_by_the_external_id(
    step: RuleStep, talk: Conversation, alice: Agent
) -> None:
    person = Person.objects.create(
        website=step.rule.website, external_id="c-7", created_at=timezone.now()
    )
    type(talk.visitor).objects.filter(pk=talk.visitor_id).update(person=person)
    sold = {"id": "1", "amount": "1", "currency": "EUR", "customer": "c-7"}
    assert shop(step)("", sold)[1]["agent"] == "Alice"
    assert shop(StepFactory())("", sold)[1]["outcome"] == "unknown_visitor"


# --- A file ----------------------------------------------------------------------------------

FILE = """\ufeffid;amount;currency;made_at;visitor;refunded
1;12,50;eur;2026-03-02 10:00;;
2;1 000,00;EUR;2026-03-02T10:00:00+00:00;;400

3;many;EUR;2026-03-02 10:00;;
4;1;EUR;yesterday;;
1;13;EUR;2026-03-02 10:00;;
5;1;EUR;2026-03-02 10:00;;2
"""


GOOD = "\n".join(FILE.splitlines()[:3])


def test_importing_a_file_twice_records_it_once(step: RuleStep) -> None:
    website = step.rule.website
    done = imports.read(website, StringIO(GOOD), at=timezone.now())
    assert (done.new, done.known, done.refunds, done.refused) == (2, 0, 1, 0)
    again = imports.read(website, StringIO(GOOD), at=timezone.now())
    assert (again.new, again.known, again.refunds) == (0, 2, 0)
    first, second = Transaction.objects.order_by("external_id")
    assert first.made_at.astimezone(website.zone).hour == 10
    assert (second.amount, second.refunded) == (Decimal("1000.00"), Decimal("400.00"))
    with pytest.raises(Invalid, match="currency, made_at"):
        imports.read(website, ["id,amount"], at=timezone.now())


def test_a_file_with_errors_records_nothing_and_names_every_line(step: RuleStep) -> None:
    done = imports.read(step.rule.website, StringIO(FILE), at=timezone.now())
    assert (done.new, done.refunds, done.refused, done.is_recorded) == (2, 1, 4, False)
    assert [number for number, _why in done.faults] == [5, 6, 7, 8]
    assert not Transaction.objects.exists()


def test_files_can_be_imported_by_command_and_page(
    step: RuleStep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(FILE)
    with pytest.raises(CommandError, match="Nothing was recorded"):
        call_command("import_transactions", step.rule.website.key, str(file))
    output = capsys.readouterr()
    assert output.out == "2 new, 0 known, 1 refunds, 4 refused\n"
    assert "line 5: “many” is not a valid amount" in output.err
    file.write_text(GOOD)
    call_command("import_transactions", step.rule.website.key, str(file), "--check")
    assert "this was only a check" in capsys.readouterr().out
    assert not Transaction.objects.exists()
    call_command("import_transactions", step.rule.website.key, str(file))
    assert capsys.readouterr().out == "2 new, 0 known, 1 refunds, 0 refused\n"
    with pytest.raises(CommandError):
        call_command("import_transactions", "nowhere", str(file))
    boss, manager = Client(), Client()
    log_in_freshly(boss, UserFactory(role=Role.ADMIN))
    log_in_freshly(manager, UserFactory(role=Role.MANAGER))
    address = "/admin/reporting/transaction/import/"

    def import_file(content: bytes, **more: str) -> str:
        sent = {"website": step.rule.website.pk, **more}
        page = boss.post(address, sent | {"file": SimpleUploadedFile("s.csv", content)})
        assert page.status_code == 200
        return page.content.decode()

    page = import_file(FILE.encode())
    assert "2 already recorded" in page
    assert "Line 5:" in page
    assert "Nothing was recorded" in page
    assert "this was only a check" in import_file(GOOD.encode(), check="on")
    assert "The file was recorded" in import_file(GOOD.encode())
    assert "UTF-8" in import_file("é;à".encode("latin-1"))
    assert manager.get(address).status_code == 403


def test_a_key_is_shown_once_and_stored_as_a_hash(step: RuleStep) -> None:
    boss = Client()
    log_in_freshly(boss, UserFactory(role=Role.ADMIN))
    sent = {"website": step.rule.website.pk, "name": "Shop"}
    page = boss.post("/admin/reporting/shopkey/add/", sent, follow=True).content.decode()
    text = page.partition("<code>")[2].partition("</code>")[0]
    assert keys.website_of(text) == step.rule.website
    assert text not in boss.get("/admin/reporting/shopkey/").content.decode()
    assert ShopKey.objects.get().digest != text


# --- Currencies, and the explanation ---------------------------------------------------------


def test_currencies_are_never_added(step: RuleStep, talk: Conversation, alice: Agent) -> None:
    call = shop(step)
    visitor = str(talk.visitor.public_id)
    for number, amount, currency in (("1", "10", "EUR"), ("2", "7", "USD"), ("3", "5", "EUR")):
        sold = {"id": number, "amount": amount, "currency": currency, "visitor": visitor}
        assert call("", sold)[0] == 201
    call("3/refunds/", {"id": "r", "amount": "2"})
    today = timezone.now().astimezone(step.rule.website.zone).date()
    period = Period(today, today + timedelta(days=1))
    turnover = [FIGURES["turnover"]]
    whole = Scope((step.rule.website,), period, supervised=EVERYTHING)
    mixed = answers.total(turnover, whole)["turnover"]
    assert (mixed.value, mixed.n, mixed.is_mixed) == (None, 3, True)
    by = answers.cut(turnover, whole, answers.BY_CURRENCY)
    assert {key: cells["turnover"].value for key, cells in by.items()} == {"EUR": 13, "USD": 7}
    euros = Scope((step.rule.website,), period, Filters(currency="EUR"), supervised=EVERYTHING)
    totals = answers.total(turnover, euros)["turnover"]
    assert (totals.value, totals.n, totals.currency) == (13, 2, "EUR")
    boss = Client()
    log_in_freshly(boss, UserFactory(role=Role.ADMIN))
    page = boss.get("/reports/transactions/", {"period": "today", "by": "currency"})
    assert "several currencies" in page.content.decode()
    only = boss.get("/reports/transactions/", {"period": "today", "currency": "EUR"})
    assert "13.00 EUR" in only.content.decode()


def test_the_attribution_of_a_purchase_is_shown_to_permitted_users(
    step: RuleStep, talk: Conversation, alice: Agent
) -> None:
    call = shop(step)
    sold = {"id": "1", "amount": "10", "currency": "EUR", "visitor": str(talk.visitor.public_id)}
    call("", sold)
    call("", {"id": "2", "amount": "10", "currency": "EUR"})
    mine, nobodys = Transaction.objects.order_by("external_id")
    strangers = AgentFactory()
    manager = UserFactory(role=Role.MANAGER)
    step.group.managers.add(manager)
    abroad = UserFactory(role=Role.MANAGER)
    StepFactory().group.managers.add(abroad)
    for user, sees in (
        (UserFactory(role=Role.ADMIN), (200, 200)),
        (manager, (200, 200)),
        (abroad, (404, 404)),
        (alice.user, (200, 404)),
        (strangers.user, (404, 404)),
    ):
        client = Client()
        log_in_freshly(client, user)
        pages = [client.get(f"/reports/transactions/{row.pk}/") for row in (mine, nobodys)]
        assert tuple(page.status_code for page in pages) == sees, user.role
    log_in_freshly(client, manager)
    page = client.get(f"/reports/transactions/{mine.pk}/").content.decode()
    assert "Alice was the last to write before the purchase" in page
    assert "last before the purchase" in page
    assert "Voilà" in page
    other = client.get(f"/reports/transactions/{nobodys.pk}/").content.decode()
    assert "The customer is unknown" in other
