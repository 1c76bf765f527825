"""Exports over the API: requested, polled, downloaded, deleted; only one's own."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.storage import default_storage
from django.test import AsyncClient, Client

from accounts.models import Role, User
from conversations.lifecycle import actors, deadlines, verbs
from conversations.models import CloseReason
from reporting import figures
from reporting.exports import export_queue, writing
from reporting.models import Export, ExportState
from reporting.reports import sheets
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
LIST = "/api/v1/exports/"
WISH = {"subject": "closed", "kind": "csv", "period": "today"}


@pytest.fixture(autouse=True)
def media(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def step() -> RuleStep:
    step = StepFactory(rule__website__name="Maison", group__name="SAV")
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    one = on_desk(step, agent, at=NOW)
    verbs.close(one.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=NOW)
    return step


@pytest.fixture
def manager(step: RuleStep) -> User:
    user = UserFactory(role=Role.MANAGER)
    step.group.managers.add(user)
    return user


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def ask(user: User, expected: int = 201, **wish: Any) -> dict[str, Any]:
    answer = as_user(user).post(LIST, WISH | wish, content_type="application/json")
    assert answer.status_code == expected, answer.content
    data: dict[str, Any] = answer.json()
    return data


def write() -> None:
    assert writing.write_next(at=deadlines.database_now())


@async_to_sync
async def fetch(user: User, address: str, **headers: str) -> tuple[int, bytes]:
    client = AsyncClient()
    await client.aforce_login(user)
    response = await client.get(address, headers=headers)
    if not response.streaming:
        return response.status_code, response.content
    return 200, b"".join([block async for block in response.streaming_content])  # type: ignore[union-attr]


def rows_of(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"))


def test_an_export_is_requested_polled_downloaded_and_deleted(
    manager: User, step: RuleStep
) -> None:
    asked = ask(manager, website=step.rule.website_id)
    assert asked | {"id": 0} == {
        "id": 0,
        "subject": "closed",
        "kind": "csv",
        "first": "2035-03-05",
        "last": "2035-03-05",
        "about": "Maison",
        "state": "waiting",
        "fault": None,
        "written": 0,
        "total": None,
        "size": 0,
        "asked_at": "2035-03-05T09:00:00Z",
        "ended_at": None,
        "kept_until": None,
        "file": None,
    }
    client, address = as_user(manager), f"{LIST}{asked['id']}/"
    early = client.get(f"{address}file/")
    assert (early.status_code, early.json()["error"]["message"]) == (409, "Waiting")
    write()
    done = client.get(address).json()
    assert (done["state"], done["written"], done["total"]) == ("done", 1, 1)
    assert done["kept_until"] > done["ended_at"]
    assert done["file"] == f"{address}file/"
    status, body = fetch(manager, done["file"], accept="text/csv")
    assert (status, len(body)) == (200, done["size"])
    assert [row["Agent"] for row in rows_of(body)] == ["Alice"]
    assert client.get(LIST).json()["results"] == [done]
    file = Export.objects.get().file
    assert client.delete(address).status_code == 204
    assert not default_storage.exists(file)
    assert client.get(address).status_code == 404


def test_an_export_of_conversations_uses_the_language_of_its_request(
    manager: User,
) -> None:
    answer = as_user(manager).post(
        LIST,
        WISH
        | {"subject": "conversations", "period": "custom", "first": "2035-03-01"}
        | {"last": "2035-03-05"},
        content_type="application/json",
        headers={"accept-language": "fr"},
    )
    assert (answer.status_code, answer.json()["first"]) == (201, "2035-03-01")
    write()
    assert "Première réponse" in fetch(manager, f"{LIST}{answer.json()['id']}/file/")[1].decode()


def test_deleting_a_waiting_export_cancels_it_first(manager: User) -> None:
    address = f"{LIST}{ask(manager)['id']}/"
    client = as_user(manager)
    assert client.delete(address).status_code == 204
    assert client.get(address).json()["state"] == "cancelled"
    assert client.get(f"{address}file/").json()["error"]["message"] == "Cancelled"
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("wish", "field", "says"),
    [
        ({"subject": "happiness"}, "subject", "This figure does not exist"),
        ({"subject": None}, "subject", "may not be null"),
        ({"kind": "exe"}, "kind", "is not a valid choice"),
        ({"period": "never"}, "period", "is not a valid choice"),
        ({"period": "custom"}, "__all__", "Choose the first and the last day"),
        (
            {"period": "custom", "first": "2035-03-05", "last": "2035-03-01"},
            "__all__",
            "after the last",
        ),
        ({"first": "yesterday"}, "first", "Date has wrong format"),
        ({"website": 999999}, "website", "not one of the available choices"),
        ({"website": "x"}, "website", "A valid integer is required"),
        ({"webiste": 1}, "webiste", "This field does not exist"),
        ({"state": "done"}, "state", "This field does not exist"),
        ({"style": "fast"}, "style", "not one of the available choices"),
        ({"currency": "euros"}, "currency", "valid value"),
    ],
)
def test_invalid_requests_are_refused_with_an_explanation(
    manager: User, wish: dict[str, Any], field: str, says: str
) -> None:
    error = ask(manager, 400, **wish)["error"]
    assert error["code"] == "invalid"
    assert says in " ".join(error["fields"][field])
    assert says in error["message"]
    assert not Export.objects.exists()


def test_invalid_bodies_are_refused(manager: User) -> None:
    for body in ("[]", "1", "{", ""):
        answer = as_user(manager).post(LIST, body, content_type="application/json")
        assert answer.status_code == 400


def test_unfinished_exports_are_limited_per_user(manager: User) -> None:
    for _number in range(export_queue.MOST_UNFINISHED):
        ask(manager)
    error = ask(manager, 409)["error"]
    assert error["code"] == "refused"
    assert error["message"].startswith("You already have 5 unfinished exports")


def test_exports_of_other_users_are_not_found(manager: User, step: RuleStep) -> None:
    address = f"{LIST}{ask(manager)['id']}/"
    write()
    alice = step.group.members.get().user
    for stranger in (alice, UserFactory(role=Role.ADMIN)):
        client = as_user(stranger)
        assert client.get(LIST).json()["results"] == []
        for method, path in (("get", address), ("delete", address), ("get", f"{address}file/")):
            answer = getattr(client, method)(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert Export.objects.get().state == ExportState.DONE
    for path in (LIST, address, f"{address}file/"):
        assert Client().get(path).status_code == 401
    assert Client().post(LIST, WISH, content_type="application/json").status_code == 401
    assert as_user(manager).get(f"{LIST}{10**30}/").status_code == 404


def test_exports_cannot_be_modified(manager: User) -> None:
    address = f"{LIST}{ask(manager)['id']}/"
    for method in ("put", "patch"):
        answer = getattr(as_user(manager), method)(
            address, {"state": "done"}, content_type="application/json"
        )
        assert answer.status_code == 405


def test_agents_export_only_their_own_rows(manager: User, step: RuleStep) -> None:
    alice, bruno = step.group.members.get(), AgentFactory(display_name="Bruno")
    step.group.members.add(bruno)
    for user, wish, names in (
        (alice.user, {}, ["Alice"]),
        (bruno.user, {}, []),
        (bruno.user, {"agent": alice.pk}, []),
    ):
        export = ask(user, **wish)
        write()
        rows = rows_of(fetch(user, f"{LIST}{export['id']}/file/")[1])
        assert [row["Agent"] for row in rows] == names
    ask(UserFactory(role=Role.MANAGER), 404)


def test_a_file_is_inaccessible_after_losing_the_right_to_see_it(manager: User) -> None:
    address = f"{LIST}{ask(manager)['id']}/file/"
    write()
    assert fetch(manager, address)[0] == 200
    manager.managed_groups.clear()
    assert fetch(manager, address)[0] == 404


def test_the_list_takes_a_constant_number_of_queries(
    manager: User, django_assert_num_queries: Any
) -> None:
    client = as_user(manager)
    for _number in range(3):
        ask(manager)
        with django_assert_num_queries(4):  # session, user, login rule, list
            client.get(LIST)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_tables_and_charts_equal_the_files_of_the_pages(manager: User, kind: str) -> None:
    client = as_user(manager)
    for path in (
        *(f"tables/{name}" for name in (*sheets.CUTS, *sheets.OTHER_SHEETS)),
        *(f"charts/{name}" for name in figures.FIGURES),
    ):
        query = f"{path}.{kind}?period=today"
        answer = client.get(f"/api/v1/{query}", headers={"accept": "text/csv"})
        page = client.get(f"/reports/{query}")
        assert answer.status_code == 200, path
        assert answer["Content-Disposition"] == page["Content-Disposition"]
        if kind == "csv":
            assert answer.content == page.content


def test_tables_need_supervision_and_reject_invalid_parameters(
    manager: User, step: RuleStep
) -> None:
    alice = as_user(step.group.members.get().user)
    assert alice.get("/api/v1/tables/agents.csv").status_code == 404
    chart = alice.get("/api/v1/charts/closed.csv?period=today&step=day")
    assert chart.content.decode("utf-8-sig").splitlines()[1].split(";")[1] == "1.0"
    client = as_user(manager)
    for path, status in (
        ("tables/happiness.csv", 404),
        ("tables/agents.exe", 404),
        ("charts/closed.exe", 404),
        ("charts/happiness.csv", 404),
        ("tables/agents.csv?period=never", 400),
        ("tables/conversations.csv?by=colour", 400),
        ("charts/closed.csv?website=9999999", 400),
    ):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == status, path
        assert answer.json()["error"]["code"] in {"not_found", "invalid"}
    for path in ("tables/agents.csv", "charts/closed.csv"):
        assert Client().get(f"/api/v1/{path}").status_code == 401
