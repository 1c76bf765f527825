"""Conversations in the API: the verbs of the desk, with its refusals and its ledger."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Agent, Role, User
from conversations.lifecycle import ledger
from conversations.lifecycle.transitions import Status
from conversations.messages import sending
from conversations.models import Author, Conversation, Note, Person, Style, Visitor
from conversations.visitors import blocks
from routing import presence
from routing.models import RuleStep
from tests.api_clients import post, with_token
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import (
    AgentFactory,
    GroupFactory,
    StepFactory,
    UserFactory,
    VisitorFactory,
    in_status,
    on_desk,
    queued,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
LIST = "/api/v1/conversations/"
LATER = NOW + timedelta(hours=3)


@pytest.fixture
def step() -> RuleStep:
    cache.clear()
    return StepFactory(places=5)


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def boss(step: RuleStep) -> User:
    user = UserFactory(role=Role.MANAGER, first_name="Bruno")
    step.group.managers.add(user)
    return user


@pytest.fixture
def client(agent: Agent) -> Client:
    return with_token(agent.user)


def social(step: RuleStep, agent: Agent) -> Conversation:
    return on_desk(step, agent, style=Style.SOCIAL, solved_window=timedelta(days=4))


def fresh(one: Conversation) -> Conversation:
    return Conversation.objects.get(pk=one.pk)


def verified(one: Conversation) -> list[str]:
    """Return what the ledger says differently from the row: nothing, after any verb."""
    return [fault for _pk, fault in ledger.verify(Conversation.objects.filter(pk=one.pk))]


def numbers(client: Client, **query: Any) -> list[int]:
    return [row["number"] for row in client.get(LIST, query).json()["results"]]


# --- The list


def test_the_list_has_the_filters_of_the_search(
    step: RuleStep, agent: Agent, client: Client
) -> None:
    person = Person.objects.create(
        website=step.rule.website, external_id="C-VII", created_at=NOW, name="Jeanne"
    )
    known = VisitorFactory(website=step.rule.website, person=person)
    first = queued(step, visitor=known)
    other = GroupFactory(website=step.rule.website, members=[agent])
    second = on_desk(StepFactory(rule=step.rule, group=other), agent, at=NOW + timedelta(hours=1))
    sending.add(
        first.pk, author=Author.VISITOR, body="Where is my parcel?", client_id=uuid.uuid4(), at=NOW
    )
    moment = (NOW + timedelta(minutes=30)).isoformat()
    for query, expected in [
        ({"q": "parcel"}, [first]),
        ({"q": f"#{second.pk}"}, [second]),
        ({"status": "active"}, [second]),
        ({"group": other.pk}, [second]),
        ({"agent": agent.pk}, [second]),
        ({"customer": "C-VII"}, [first]),
        ({"visitor": str(known.public_id)}, [first]),
        ({"website": step.rule.website.key}, [second, first]),
        ({"website": "other"}, []),
        ({"since": moment}, [second]),
        ({"until": moment}, [first]),
        ({"since": moment, "q": "parcel"}, []),
    ]:
        assert numbers(client, **query) == [one.pk for one in expected], query


def test_the_cursor_of_a_search_keeps_its_filters(step: RuleStep, client: Client) -> None:
    numbers = [queued(step).pk for _ in range(3)]
    first = client.get(LIST, {"status": "queued", "page_size": 2}).json()
    assert "status=queued" in first["next"]
    second = client.get(first["next"]).json()
    assert [row["number"] for row in first["results"] + second["results"]] == numbers[::-1]


# --- The verbs


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [
        ("snooze", {"until": LATER.isoformat(), "keep": True}, Status.SNOOZED),
        ("pending", {}, Status.PENDING),
        ("on-hold", {}, Status.ON_HOLD),
        ("solve", {}, Status.SOLVED),
        ("close", {}, Status.SOLVED),
    ],
)
def test_an_agent_sets_aside_what_is_on_their_desk(
    verb: str, body: dict[str, Any], status: str, step: RuleStep, agent: Agent, client: Client
) -> None:
    talk = social(step, agent)
    answer = post(client, f"{LIST}{talk.pk}/{verb}/", body)
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    line = talk.events.latest("id")
    assert (line.actor_kind, line.actor_user_id) == ("agent", agent.user_id)
    assert verified(talk) == []
    again = post(client, f"{LIST}{talk.pk}/{verb}/", body)
    assert (again.status_code, again.json()["code"]) == (409, "refused")
    assert again.json()["detail"].startswith("This conversation has changed in the meantime.")


@pytest.mark.parametrize("verb", ["snooze", "pending", "on-hold", "close", "transfer"])
def test_a_colleague_cannot_move_what_somebody_else_holds(
    verb: str, step: RuleStep, agent: Agent
) -> None:
    talk = social(step, agent)
    colleague = AgentFactory()
    step.group.members.add(colleague)
    body = {"until": LATER.isoformat(), "group": GroupFactory(website=step.rule.website).pk}
    answer = post(with_token(colleague.user), f"{LIST}{talk.pk}/{verb}/", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")
    assert fresh(talk).status == Status.ACTIVE


@pytest.mark.parametrize("verb", ["snooze", "pending", "on-hold", "close", "solve"])
def test_a_verb_is_refused_if_the_visitor_has_written_since(
    verb: str, step: RuleStep, agent: Agent, client: Client
) -> None:
    talk = social(step, agent)
    sending.add(talk.pk, author=Author.VISITOR, body="Wait", client_id=uuid.uuid4(), at=NOW)
    body = {"until": LATER.isoformat(), "seen": 0}
    answer = post(client, f"{LIST}{talk.pk}/{verb}/", body)
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("The visitor has just written.")
    assert post(client, f"{LIST}{talk.pk}/{verb}/", body | {"seen": 1}).status_code == 200


def test_a_live_conversation_is_closed_but_not_solved(
    step: RuleStep, agent: Agent, client: Client
) -> None:
    talk = on_desk(step, agent)
    assert post(client, f"{LIST}{talk.pk}/solve/").status_code == 409
    assert post(client, f"{LIST}{talk.pk}/close/").json()["status"] == "closed"


@pytest.mark.parametrize(
    "until", [NOW, NOW - timedelta(1), NOW + timedelta(days=366), "soon", None]
)
def test_a_snooze_ends_within_a_year(
    until: Any, step: RuleStep, agent: Agent, client: Client
) -> None:
    talk = social(step, agent)
    sent = {"until": until.isoformat() if hasattr(until, "isoformat") else until}
    assert post(client, f"{LIST}{talk.pk}/snooze/", sent).status_code in {400, 409}
    assert fresh(talk).status == Status.ACTIVE


def test_an_agent_takes_wakes_and_resumes(step: RuleStep, agent: Agent, client: Client) -> None:
    assigned = in_status(Status.ASSIGNED, step, agent)
    assert post(client, f"{LIST}{assigned.pk}/take/").json()["status"] == "active"
    snoozed = in_status(Status.SNOOZED, step, agent)
    assert post(client, f"{LIST}{snoozed.pk}/wake/").json()["status"] == "active"
    pending = in_status(Status.PENDING, step, agent)
    assert post(client, f"{LIST}{pending.pk}/resume/").json()["status"] == "active"


@pytest.mark.parametrize("verb", ["take", "resume", "wake"])
def test_a_user_without_a_desk_is_refused(verb: str, step: RuleStep, agent: Agent) -> None:
    user = UserFactory(role=Role.MANAGER)
    other = GroupFactory(website=step.rule.website)
    step.group.managers.add(user)
    talk = in_status(Status.QUEUED, step, agent)
    assert other.website_id == talk.website_id
    answer = post(with_token(user), f"{LIST}{talk.pk}/{verb}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")


def test_a_transfer_hands_over_with_a_note(step: RuleStep, agent: Agent, client: Client) -> None:
    talk = on_desk(step, agent)
    other = GroupFactory(website=step.rule.website, members=[agent])
    answer = post(client, f"{LIST}{talk.pk}/transfer/", {"group": other.pk, "note": "VIP"})
    assert (answer.status_code, answer.json()["group_id"]) == (200, other.pk)
    assert Note.objects.get().body == "VIP"
    colleague = AgentFactory()
    step.group.members.add(colleague)
    second = on_desk(step, agent)
    answer = post(client, f"{LIST}{second.pk}/transfer/", {"agent": colleague.pk})
    assert answer.json()["status"] == "assigned"


def test_a_transfer_out_of_sight_is_answered_with_204(
    step: RuleStep, agent: Agent, client: Client
) -> None:
    talk = on_desk(step, agent)
    other = GroupFactory(website=step.rule.website)
    assert post(client, f"{LIST}{talk.pk}/transfer/", {"group": other.pk}).status_code == 204
    assert fresh(talk).group_id == other.pk


def test_a_transfer_never_crosses_a_website(step: RuleStep, agent: Agent, client: Client) -> None:
    talk = on_desk(step, agent)
    foreign = StepFactory()
    stranger = AgentFactory()
    foreign.group.members.add(stranger)
    for body in ({"group": foreign.group_id}, {"agent": stranger.pk}, {}, {"group": 1, "agent": 1}):
        answer = post(client, f"{LIST}{talk.pk}/transfer/", body)
        assert answer.status_code == 400, body
    assert fresh(talk).agent_id == agent.pk


def test_a_supervisor_reassigns_releases_and_wakes(
    step: RuleStep, agent: Agent, boss: User
) -> None:
    client = with_token(boss)
    other = GroupFactory(website=step.rule.website)
    other.managers.add(boss)
    waiting = queued(step)
    assert post(client, f"{LIST}{waiting.pk}/transfer/", {"agent": agent.pk}).status_code == 200
    line = waiting.events.latest("id")
    assert (line.actor_kind, line.actor_user_id) == ("manager", boss.pk)
    stranded = on_desk(step, agent)
    released = post(client, f"{LIST}{stranded.pk}/release/")
    assert released.json()["status"] == "queued"
    snoozed = in_status(Status.SNOOZED, step, agent, keep=False)
    assert post(client, f"{LIST}{snoozed.pk}/wake/").json()["status"] == "queued"
    last_event = client.get(f"{LIST}{stranded.pk}/events/").json()["results"][-1]
    assert (last_event["verb"], last_event["by"], last_event["name"]) == (
        "release",
        "manager",
        "Bruno",
    )


def test_a_connected_agent_keeps_what_is_on_their_desk(
    step: RuleStep, agent: Agent, boss: User
) -> None:
    talk = on_desk(step, agent)
    presence.connect(agent.pk, uuid.uuid4(), at=NOW)
    answer = post(with_token(boss), f"{LIST}{talk.pk}/release/")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("Its agent is connected.")


def test_an_agent_releases_nothing(step: RuleStep, agent: Agent, client: Client) -> None:
    talk = in_status(Status.ASSIGNED, step, agent)
    assert post(client, f"{LIST}{talk.pk}/release/").status_code == 409


# --- Beginning


def begin(visitor: Visitor, **more: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "visitor": str(visitor.public_id), "body": "Hello"} | more


def test_a_supervisor_begins_a_conversation_of_a_known_visitor(step: RuleStep, boss: User) -> None:
    client = with_token(boss)
    visitor = VisitorFactory(website=step.rule.website)
    sent = begin(visitor, page_url="https://localhost/cart")
    answer = post(client, LIST, sent)
    assert answer.status_code == 201
    conversation = Conversation.objects.get()
    assert (conversation.status, conversation.group_id) == (Status.QUEUED, step.group_id)
    assert answer.json()["visitor"] == str(visitor.public_id)
    assert conversation.page_url == "https://localhost/cart"
    assert post(client, LIST, sent).status_code == 200
    assert post(client, LIST, begin(visitor)).status_code == 200
    assert Conversation.objects.get().last_seq == 2


def test_nobody_begins_without_room_or_right_or_consent(
    step: RuleStep, agent: Agent, boss: User
) -> None:
    visitor = VisitorFactory(website=step.rule.website)
    foreign = VisitorFactory()
    assert post(with_token(agent.user), LIST, begin(visitor)).status_code == 404
    assert post(with_token(boss), LIST, begin(foreign)).status_code == 404
    RuleStep.objects.update(places=0)
    full = post(with_token(boss), LIST, begin(visitor))
    assert (full.status_code, full.json()["code"]) == (409, "refused")
    RuleStep.objects.update(places=5)
    Visitor.objects.filter(pk=visitor.pk).update(withdrawn_at=NOW)
    assert post(with_token(boss), LIST, begin(visitor)).status_code == 403
    Visitor.objects.filter(pk=visitor.pk).update(withdrawn_at=None)
    assert not Conversation.objects.exists()
    talk = queued(step, visitor=visitor)
    blocks.block(talk, reason="spam", until=None, by=boss, at=NOW)
    assert post(with_token(boss), LIST, begin(visitor)).status_code == 403


# --- Messages, files and notes


def test_messages_are_listed_after_a_number(step: RuleStep, agent: Agent, client: Client) -> None:
    talk = on_desk(step, agent)
    for body in ("one", "two", "three"):
        sending.add(talk.pk, author=Author.VISITOR, body=body, client_id=uuid.uuid4(), at=NOW)
    path = f"{LIST}{talk.pk}/messages/"
    first = client.get(path, {"page_size": 2}).json()
    assert [row["seq"] for row in first["results"]] == [1, 2]
    assert [row["body"] for row in client.get(first["next"]).json()["results"]] == ["three"]
    assert [row["seq"] for row in client.get(path, {"after": 2}).json()["results"]] == [3]


def test_a_file_goes_up_first_and_then_with_a_message(
    step: RuleStep, agent: Agent, client: Client
) -> None:
    talk = on_desk(step, agent)
    file = uuid.uuid4()
    path = f"{LIST}{talk.pk}/files/{file}/"
    content = b"id,amount\n1,2\n"
    first = client.put(f"{path}?name=list.csv", content, content_type="text/csv")
    assert (first.status_code, first.json()["attachment"]["name"]) == (201, "list.csv")
    again = client.put(f"{path}?name=list.csv", content, content_type="text/csv")
    assert again.status_code == 200
    message = {"id": str(uuid.uuid4()), "attachment": str(file)}
    answer = post(client, f"{LIST}{talk.pk}/messages/", message)
    assert answer.json()["message"]["attachment"]["id"] == str(file)
    download = client.get(path)
    assert download.content == content
    assert download["Content-Disposition"] == "attachment; filename*=UTF-8''list.csv"
    other = on_desk(step, agent)
    assert client.get(f"{LIST}{other.pk}/files/{file}/").status_code == 404
    taken = client.put(f"{LIST}{other.pk}/files/{file}/?name=x.csv", content, content_type="x/y")
    assert taken.status_code == 409


def test_only_the_holder_uploads(step: RuleStep, agent: Agent, boss: User) -> None:
    talk = on_desk(step, agent)
    path = f"{LIST}{talk.pk}/files/{uuid.uuid4()}/?name=a.txt"
    assert with_token(boss).put(path, b"x", content_type="text/plain").status_code == 409
    refused = with_token(agent.user).put(
        path.replace("a.txt", "a.exe"), b"MZ\0\0", content_type="text/plain"
    )
    assert refused.status_code == 415
    empty = with_token(agent.user).put(path, b"", content_type="text/plain")
    assert empty.status_code == 415


def test_notes_are_for_the_team(step: RuleStep, agent: Agent, boss: User, client: Client) -> None:
    talk = on_desk(step, agent)
    path = f"{LIST}{talk.pk}/notes/"
    assert post(client, path, {"body": "Call back"}).status_code == 201
    shown = with_token(boss).get(path).json()["results"]
    assert [(row["body"], row["agent"]) for row in shown] == [("Call back", "Alice")]
    assert post(with_token(boss), path, {"body": "x"}).status_code == 409
    assert post(client, path, {"body": "x" * 2001}).status_code == 400
    assert post(client, path, {"body": "  "}).status_code == 400
    assert Note.objects.count() == 1


def test_contacts_and_events_return_the_history(
    step: RuleStep, agent: Agent, client: Client
) -> None:
    talk = social(step, agent)
    post(client, f"{LIST}{talk.pk}/pending/")
    contact = client.get(f"{LIST}{talk.pk}/contacts/").json()["results"][0]
    assert (contact["agent"], contact["end_reason"]) == ("Alice", "pending")
    lines = client.get(f"{LIST}{talk.pk}/events/").json()["results"]
    assert [line["verb"] for line in lines] == ["queue", "push", "set_pending"]
    assert (lines[-1]["name"], lines[-1]["reason"]) == ("Alice", "pending")


def test_a_service_account_with_a_desk_appears_by_name(step: RuleStep) -> None:
    account = User.objects.create_user("sync", role=Role.AGENT, is_service=True)
    robot = AgentFactory(user=account, display_name="Parcel robot")
    step.group.members.add(robot)
    talk = social(step, robot)
    client = with_token(account)
    message = {"id": str(uuid.uuid4()), "body": "Your parcel has left."}
    answer = post(client, f"{LIST}{talk.pk}/messages/", message)
    assert answer.json()["message"]["name"] == "Parcel robot"
    post(client, f"{LIST}{talk.pk}/close/")
    line = client.get(f"{LIST}{talk.pk}/events/").json()["results"][-1]
    assert (line["verb"], line["name"]) == ("solve", "Parcel robot")


def test_a_page_of_the_list_takes_a_constant_number_of_queries(
    step: RuleStep, client: Client, django_assert_num_queries: Any
) -> None:
    queued(step)
    client.get(LIST)
    with django_assert_num_queries(3):  # token with owner, list, tags
        client.get(LIST)
    for _ in range(3):
        queued(step)
    with django_assert_num_queries(3):
        assert len(client.get(LIST).json()["results"]) == 4
