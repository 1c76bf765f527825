"""Applications in the toolbar: where they are shown, what they receive, and where they may be
framed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import Agent, Change, ToolbarApp, User
from accounts.models.toolbar_apps import check_address
from conversations.models import Person
from desk import embedded
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]
URL = "https://orders.example.com/beside?x=1"


@pytest.fixture
def app(step: RuleStep) -> ToolbarApp:
    return ToolbarApp.objects.create(website=step.rule.website, name="Orders", url=URL)


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        (URL, True),
        ("http://localhost:8000/app/", True),
        ("http://orders.example.com/", False),
        ("https://me:secret@orders.example.com/", False),
        ("https://orders.example.com/; script-src *", False),
        ("javascript:alert(1)", False),
        ("ftp://orders.example.com/", False),
    ],
)
def test_only_safe_addresses_can_be_registered(url: str, is_good: bool) -> None:
    if is_good:
        check_address(url)
    else:
        with pytest.raises(ValidationError):
            check_address(url)


def test_application_is_shown_to_its_groups_when_enabled(
    step: RuleStep, agent: Agent, app: ToolbarApp
) -> None:
    conversation = on_desk(step, agent)
    other = StepFactory(rule=step.rule).group
    assert list(embedded.beside(conversation)) == [app]
    app.groups.set([other])
    assert not embedded.beside(conversation)
    app.groups.set([other, step.group])
    assert list(embedded.beside(conversation)) == [app]
    assert not embedded.beside(conversation, host="orders.example.com")  # the desk's own host
    app.is_enabled = False
    app.save()
    assert not embedded.beside(conversation)


def test_context_is_signed_and_names_only_identified_customers(
    step: RuleStep, agent: Agent, app: ToolbarApp, browser: Browser
) -> None:
    conversation = on_desk(step, agent)
    address = f"/desk/c/{conversation.pk}/apps/{app.pk}/"

    def context() -> dict[str, Any]:
        answer = browser(agent.user).get(address)
        assert answer["Cache-Control"] == "no-store"
        origin = "https://orders.example.com"
        return jwt.decode(answer.json()["token"], app.secret.reveal(), ["HS256"], audience=origin)

    claims = context()
    assert claims["visitor"] == {"id": str(conversation.visitor.public_id), "external_id": None}
    assert claims["agent"] == {"id": agent.pk, "name": "Alice"}
    assert claims["exp"] - claims["iat"] == 300
    visitor = conversation.visitor
    visitor.person = Person.objects.create(
        website=visitor.website, external_id="C-1042", created_at=NOW
    )
    visitor.save()
    assert context()["visitor"]["external_id"] == "C-1042"
    assert app.secret.reveal() != ToolbarApp().secret.reveal()


def test_context_is_refused_to_strangers(
    step: RuleStep, agent: Agent, app: ToolbarApp, browser: Browser
) -> None:
    number = on_desk(step, agent).pk
    elsewhere = StepFactory()
    foreign = ToolbarApp.objects.create(website=elsewhere.rule.website, name="Other", url=URL)
    assert browser(AgentFactory().user).get(f"/desk/c/{number}/apps/{app.pk}/").status_code == 404
    assert browser(agent.user).get(f"/desk/c/{number}/apps/{foreign.pk}/").status_code == 404
    assert Client().get(f"/desk/c/{number}/apps/{app.pk}/").status_code == 302


def test_policy_allows_only_origins_of_own_applications(
    step: RuleStep, agent: Agent, app: ToolbarApp, browser: Browser, manager: User
) -> None:
    ToolbarApp.objects.create(
        website=StepFactory().rule.website, name="Other", url="https://other.example.com"
    )
    for user in (agent.user, manager):
        page = browser(user).get("/desk/", headers={"HX-Request": ""})
        assert (
            "frame-src 'self' https://orders.example.com;" in page["Content-Security-Policy"] + ";"
        )
        assert "other.example.com" not in page["Content-Security-Policy"]
    stranger = browser(AgentFactory().user).get("/desk/", headers={"HX-Request": ""})
    assert "frame-src" not in stranger["Content-Security-Policy"]


def test_application_is_not_loaded_before_it_is_opened(
    step: RuleStep, agent: Agent, app: ToolbarApp, browser: Browser
) -> None:
    shown = browser(agent.user).get(f"/desk/c/{on_desk(step, agent).pk}/toolbar/").content.decode()
    assert 'data-origin="https://orders.example.com"' in shown
    assert "<iframe" not in shown
    assert app.secret.reveal() not in shown


def test_change_log_does_not_contain_the_secret(app: ToolbarApp) -> None:
    app.secret = "another secret"
    app.save()
    recorded = [str((change.before, change.after)) for change in Change.objects.all()]
    assert any("•••" in line for line in recorded)
    assert not any(app.secret.ciphertext in line for line in recorded)
