"""The guided set-up: every step is saved and can be left, resumed and corrected."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.test import Client

from accounts.models import Agent, Change, Group, Role, User, Website
from conversations.facts import Fact
from core.events import bus
from routing import install_check
from routing.facts import UserInvited
from routing.models import DistributionRule, RuleStep, TargetingRule
from routing.provisioning import FIRST_RETENTION_DAYS
from routing.setup.forms import host_of
from tests.factories import AgentFactory, GroupFactory, StepFactory, UserFactory, WebsiteFactory
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db

WEBSITE = {
    "name": "Maison Céleste",
    "domains": "https://www.example.com/shop\nlocalhost:3000",
    "language": "fr",
    "time_zone": "Europe/Paris",
    "accent": "#2f5d50",
}


@pytest.fixture
def root() -> User:
    """A user as ``manage.py createsuperuser`` creates it: the role is not even administrator."""
    user: User = User.objects.create_superuser("root", "root@example.com", "x")
    return user


@pytest.fixture
def admin(root: User) -> Client:
    client = Client()
    log_in_freshly(client, root)
    return client


@pytest.fixture
def published_facts(monkeypatch: pytest.MonkeyPatch) -> list[Fact]:
    published: list[Fact] = []
    publish = bus.publish

    def listen(*facts: Fact) -> None:
        published.extend(facts)
        publish(*facts)

    monkeypatch.setattr(bus, "publish", listen)
    return published


def people(*rows: dict[str, Any]) -> dict[str, Any]:
    form: dict[str, Any] = {"people-TOTAL_FORMS": len(rows), "people-INITIAL_FORMS": 0}
    for number, row in enumerate(rows):
        row = {"name": "", "email": "", "slots": "3"} | row
        form |= {f"people-{number}-{name}": value for name, value in row.items()}
    return form


def test_setup_leads_to_a_website_that_engages(
    admin: Client, root: User, published_facts: list[Fact], settings: Any
) -> None:
    settings.HAS_MAIL_SERVER = True
    assert "Set up the first website" in admin.get("/admin/").content.decode()
    answer = admin.post("/admin/setup/", WEBSITE)
    website = Website.objects.get()
    assert website.domains == ["www.example.com", "localhost:3000"]
    assert answer["Location"] == f"/admin/setup/{website.pk}/group/"

    proposed = admin.get(answer["Location"]).context["form"]["name"].value()
    assert proposed == "Équipe de réponse"  # in the website's language
    answer = admin.post(answer["Location"], {"name": proposed})
    shown = admin.get(answer["Location"]).context["form"]
    assert (shown["name"].value(), shown["places"].value()) == ("vers equipe de reponse", 3)
    answer = admin.post(answer["Location"], {"name": "vers equipe de reponse", "places": "3"})
    step = RuleStep.objects.get()
    assert (step.places, step.rule.name) == (3, "vers equipe de reponse")
    assert TargetingRule.objects.get().rule == step.rule

    alice = {"name": "Alice Martin", "email": "alice@example.com"}
    answer = admin.post(answer["Location"], {"myself": "on", **people(alice, {})})
    assert answer["Location"] == f"/admin/setup/{website.pk}/embed/"
    agents = {agent.user.username: agent for agent in step.group.members.all()}
    assert set(agents) == {"alice", "root"}
    assert agents["alice"].display_name == "Alice"
    assert agents["alice"].channels.get().slots == 3
    assert not agents["alice"].user.has_usable_password()
    assert UserInvited(user_id=agents["alice"].user_id) in published_facts

    shown_page = admin.get(answer["Location"]).content.decode()
    assert f"data-website=&quot;{website.key}&quot;" in shown_page.replace('"', "&quot;")
    assert "http://testserver/embed.js" in shown_page
    assert "1 person has not chosen a password yet." in shown_page
    assert {change.actor for change in Change.objects.filter(model__startswith="routing.")} == {
        "root"
    }


def test_setup_resumes_at_the_first_unfinished_step(admin: Client) -> None:
    admin.post("/admin/setup/", WEBSITE)
    website = Website.objects.get()
    assert "Continue the setup of Maison Céleste" in admin.get("/admin/").content.decode()
    resume = f"/admin/setup/{website.pk}/"
    assert admin.get(resume)["Location"].endswith("/group/")
    group = GroupFactory(website=website)
    assert admin.get(resume)["Location"].endswith("/rule/")
    admin.post(f"{resume}rule/", {"name": "First", "places": "5"})
    assert admin.get(resume)["Location"].endswith("/team/")
    group.members.add(AgentFactory())
    assert admin.get(resume)["Location"].endswith("/embed/")
    assert "Continue the setup" not in admin.get("/admin/").content.decode()


def test_repeating_a_step_updates_without_duplicates(admin: Client) -> None:
    admin.post("/admin/setup/", WEBSITE)
    website = Website.objects.get()
    base = f"/admin/setup/{website.pk}/"
    for name, places in (("One", "3"), ("Two", "8")):
        admin.post(f"{base}website/", WEBSITE | {"name": name})
        admin.post(f"{base}group/", {"name": name})
        admin.post(f"{base}rule/", {"name": name, "places": places})
    assert Website.objects.get().name == "Two"
    assert Group.objects.get().name == "Two"
    assert (DistributionRule.objects.get().name, RuleStep.objects.get().places) == ("Two", 8)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (
            {"domains": ""},
            "Enter at least one domain. Without it, the Messenger does not appear on any page.",
        ),
        ({"domains": "not a domain!"}, "Enter a valid value"),
        ({"name": ""}, "required"),
        ({"accent": "red"}, "Enter a valid value"),
        ({"time_zone": "Mars/Olympus"}, "not one of the available choices"),
    ],
)
def test_invalid_input_is_explained_and_stays_in_the_form(
    admin: Client, wrong: dict[str, str], error: str
) -> None:
    answer = admin.post("/admin/setup/", WEBSITE | {"name": "Kept"} | wrong)
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert error in shown
    if "name" not in wrong:
        assert 'value="Kept"' in shown
    if wrong.get("domains"):
        assert wrong["domains"] in shown
    assert not Website.objects.exists()


def test_one_invalid_person_saves_no_team_member(admin: Client) -> None:
    group = GroupFactory()
    UserFactory(email="taken@example.com")
    base = f"/admin/setup/{group.website_id}/team/"
    good = {"name": "Alice Martin", "email": "alice@example.com"}
    for fault in (
        {"name": "Bruno", "email": "nonsense"},
        {"name": "Bruno", "email": "Taken@example.com"},
        {"name": "Bruno", "email": "ALICE@example.com"},
        {"name": "", "email": "bruno@example.com"},
        {"name": "Bruno", "slots": "0"},
    ):
        answer = admin.post(base, people(good, fault))
        assert answer.status_code == 200, fault
        assert 'value="Alice Martin"' in answer.content.decode()
    assert not Agent.objects.exists()


def test_usernames_avoid_those_in_use(admin: Client) -> None:
    UserFactory(username="alice")
    UserFactory(username="Alice2")
    group = GroupFactory()
    base = f"/admin/setup/{group.website_id}/team/"
    admin.post(
        base,
        people(
            {"name": "Alice", "email": "alice@a.example"}, {"name": "Élodie Fée"}, {"name": "李"}
        ),
    )
    names = set(group.members.values_list("user__username", flat=True))
    assert names == {"alice3", "elodie.fee", "agent"}


def test_a_second_website_can_reuse_agents(admin: Client) -> None:
    known = AgentFactory(display_name="Alice")
    GroupFactory(members=[known])
    group = GroupFactory()
    base = f"/admin/setup/{group.website_id}/team/"
    assert "Alice" in admin.get(base).content.decode()
    admin.post(base, {"known": [known.pk], **people({})})
    assert list(group.members.all()) == [known]


def test_an_empty_team_repeats_the_step(admin: Client) -> None:
    group = GroupFactory()
    base = f"/admin/setup/{group.website_id}/team/"
    assert admin.post(base, people({}))["Location"] == base
    assert "Add at least one person to answer conversations" in admin.get(base).content.decode()


def test_steps_out_of_order_redirect_to_the_missing_step(admin: Client) -> None:
    website = WebsiteFactory()
    for step in ("rule", "team"):
        answer = admin.get(f"/admin/setup/{website.pk}/{step}/")
        assert answer["Location"] == f"/admin/setup/{website.pk}/group/"
    assert admin.get("/admin/setup/0/group/").status_code == 404


def test_a_page_with_the_script_is_detected(admin: Client) -> None:
    cache.clear()
    website = WebsiteFactory()
    address = f"/admin/setup/{website.pk}/seen/"
    assert admin.get(address).json() == {"seen": ""}
    at = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    async_to_sync(install_check.record)(website.pk, "www.example.com", at=at)
    assert "Seen on www.example.com" in admin.get(address).json()["seen"]
    # Once a minute is enough: the next page view writes nothing.
    async_to_sync(install_check.record)(website.pk, "www.example.com", at=at.replace(year=2030))
    detected = install_check.last_seen(website.pk)
    assert detected is not None
    assert detected.at == at


def test_an_invitation_link_is_shown_and_sent_on_post(
    admin: Client, published_facts: list[Fact], settings: Any
) -> None:
    settings.HAS_MAIL_SERVER = True
    person = UserFactory(email="alice@example.com")
    address = f"/admin/setup/user/{person.pk}/"
    assert "/welcome/" in admin.get(address).content.decode()
    assert UserInvited(user_id=person.pk) not in published_facts  # GET sends nothing
    assert admin.post(address)["Location"] == address
    assert UserInvited(user_id=person.pk) in published_facts


@pytest.mark.parametrize(
    ("has_mail_server", "email", "is_sent"),
    [(False, "alice@example.com", False), (True, "", False), (True, "alice@example.com", True)],
)
def test_an_invitation_that_is_not_sent_is_shown_at_once(
    admin: Client, settings: Any, has_mail_server: bool, email: str, is_sent: bool
) -> None:
    step = StepFactory()
    settings.HAS_MAIL_SERVER = has_mail_server
    setup = f"/admin/setup/{step.rule.website_id}"
    answer = admin.post(f"{setup}/team/", people({"name": "Alice Martin", "email": email}))
    assert answer["Location"] == (f"{setup}/embed/" if is_sent else f"{setup}/team/")
    page = admin.get(f"{setup}/team/").content.decode()
    assert "/welcome/" in page
    assert ("Give each new colleague the link" in page) is not is_sent
    assert ("There is no mail server" in page) is not has_mail_server
    assert ("It is also sent" in " ".join(page.split())) is has_mail_server
    again = admin.post(f"{setup}/team/", people({}))
    assert again["Location"] == f"{setup}/embed/"


def test_a_link_is_not_sent_without_a_mail_server(
    admin: Client, published_facts: list[Fact], settings: Any
) -> None:
    settings.HAS_MAIL_SERVER = False
    person = UserFactory(email="alice@example.com")
    address = f"/admin/setup/user/{person.pk}/"
    page = admin.get(address).content.decode()
    assert "/welcome/" in page
    assert "There is no mail server" in page
    assert "Send to" not in page
    assert admin.post(address).status_code == 200
    assert published_facts == []


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("www.example.com", "www.example.com"),
        ("https://www.example.com/shop?x=1", "www.example.com"),
        ("HTTP://user:pw@Example.com:8080/", "example.com:8080"),
        ("*.example.com", "*.example.com"),
        ("//example.com", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("localhost:3000", "localhost:3000"),
    ],
)
def test_a_pasted_address_is_a_domain(typed: str, host: str) -> None:
    assert host_of(typed) == host


def test_managers_are_not_offered_setup() -> None:
    manager = UserFactory(role=Role.MANAGER)
    client = Client()
    log_in_freshly(client, manager)
    shown = client.get("/admin/").content.decode()
    assert "/admin/setup/" not in shown
    assert "Manager tasks" in shown


def test_setup_proposes_a_retention_period_that_may_be_changed_or_emptied(admin: Client) -> None:
    proposed = admin.get("/admin/setup/").context["form"]["retention_days"].value()
    assert proposed == FIRST_RETENTION_DAYS
    admin.post("/admin/setup/", WEBSITE | {"retention_days": "365"})
    website = Website.objects.get()
    assert website.retention_days == 365
    page = f"/admin/setup/{website.pk}/website/"
    assert (
        "1"
        in admin.post(page, WEBSITE | {"retention_days": "0"})
        .context["form"]
        .errors["retention_days"][0]
    )
    admin.post(page, WEBSITE | {"retention_days": ""})
    website.refresh_from_db()
    assert website.retention_days is None
    assert admin.get(page).context["form"]["retention_days"].value() is None


def test_the_former_address_of_a_password_link_leads_to_the_present_one(admin: Client) -> None:
    user = UserFactory()
    answer = admin.get(f"/admin/setup/person/{user.pk}/")
    assert (answer.status_code, answer["Location"]) == (301, f"/admin/setup/user/{user.pk}/")
