"""The record of changes as administrators read it: in words, by person, object and date."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts import audit
from accounts.change_texts import FieldChange, Reader
from accounts.models import Change, Role
from tests.factories import AgentFactory, GroupFactory, StepFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/change/"


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(UserFactory(role=Role.ADMIN))
    return client


def read(**about: object) -> tuple[str, list[FieldChange]]:
    change = Change.objects.filter(**about).first()
    assert change is not None
    reader = Reader()
    return reader.subject(change), reader.lines(change)


def test_a_change_is_described_in_words() -> None:
    step = StepFactory(places=3, rule__name="Urgent", group__name="Experts")
    step.places = 7
    step.save()
    assert read(model="routing.rulestep") == (
        "Queue (distribution rule Urgent)",
        [FieldChange("Places in queue", "3", "7")],
    )
    step.rule.style = "social"
    step.rule.is_enabled = False
    step.rule.save()
    subject, lines = read(model="routing.distributionrule")
    assert subject == "Distribution rule Urgent"
    assert FieldChange("Enabled", "yes", "no") in lines
    assert any(line.label == "Style" and line.after != "social" for line in lines)


def test_a_deleted_member_is_still_named() -> None:
    agent, group = AgentFactory(display_name="Alice"), GroupFactory(name="Experts")
    group.members.add(agent)
    assert read(model="accounts.group_members") == (
        "Members (group Experts)",
        [FieldChange("Agent", "", "Alice")],
    )
    agent.user.delete()
    group.delete()
    subject, lines = read(model="accounts.group_members", kind="DELETE")
    assert subject == "Members (group Experts)"
    assert lines == [FieldChange("Agent", "Alice", "")]


def test_the_list_is_filtered_by_person_object_setting_and_date(admin: Client) -> None:
    ada = UserFactory(role=Role.ADMIN, first_name="Ada")
    one, other = GroupFactory(name="Experts"), GroupFactory(name="Novices")
    with audit.acting(ada):
        one.name = "Masters"
        one.save()
        one.members.add(AgentFactory(display_name="Alice"))
    by_ada = admin.get(LIST, {"person": ada.pk}).content.decode()
    assert "Masters" in by_ada
    assert "Novices" not in by_ada
    about = admin.get(LIST, {"about": f"accounts.group:{one.pk}"}).content.decode()
    assert "Alice" in about  # its members are part of it
    assert "Novices" not in about
    of_system = admin.get(LIST, {"person": "system", "setting": "accounts.group"})
    assert "Novices" in of_system.content.decode()
    assert admin.get(LIST, {"at__year": "1999"}).context["cl"].result_count == 0
    assert other.name


@pytest.mark.parametrize(
    "query",
    [
        {"about": "accounts.group:x"},
        {"about": "nonsense"},
        {"about": "accounts.group:99999999999999999999"},
        {"person": "' OR 1=1"},
        {"person": "99999999999999999999"},
        {"setting": "no.such"},
        {"q": "%"},
    ],
)
def test_invalid_filters_cause_no_error(admin: Client, query: dict[str, str]) -> None:
    GroupFactory()
    assert admin.get(LIST, query).status_code == 200


def test_the_history_of_an_object_redirects_to_the_record(admin: Client) -> None:
    group = GroupFactory()
    answer = admin.get(f"/admin/accounts/group/{group.pk}/history/")
    assert answer["Location"] == f"{LIST}?about=accounts.group%3A{group.pk}"
    manager = UserFactory(role=Role.MANAGER)
    group.managers.add(manager)
    client = Client()
    client.force_login(manager)
    assert client.get(f"/admin/accounts/group/{group.pk}/history/").status_code == 403


def test_the_record_cannot_be_edited(admin: Client) -> None:
    GroupFactory()
    change = Change.objects.first()
    assert change is not None
    assert admin.post(f"{LIST}{change.pk}/change/", {"actor": "Nobody"}).status_code == 403
    assert admin.post(f"{LIST}{change.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin.get(f"{LIST}add/").status_code == 403


def test_listing_many_changes_takes_few_queries(
    admin: Client, django_assert_max_num_queries: object
) -> None:
    step = StepFactory()
    for places in range(30):
        step.places = places
        step.save()
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        admin.get(LIST)
