"""The editor's pages: what they change, what they refuse, and who may open them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from routing.bots import versions
from routing.models import Bot, BotTest
from tests.factories import ArticleFactory, RuleFactory, StepFactory, UserFactory
from tests.routing.bots.scenarios import ask, people, plan, shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot() -> Bot:
    rule = RuleFactory()
    StepFactory(rule=rule)
    bot = Bot.objects.create(website=rule.website, name="Lumi")
    rule.bot = bot
    rule.save()
    return bot


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(UserFactory(role=Role.ADMIN))
    return client


def url(bot: Bot, name: str = "", *more: int) -> str:
    return reverse(f"admin:scenario{'_' if name else ''}{name}", args=[bot.pk, *more])


def change(admin: Client, bot: Bot, **sent: Any) -> Any:
    return admin.post(url(bot, "change"), sent)


def texts(page: Any) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def put(admin: Client, bot: Bot, data: object) -> Any:
    file = SimpleUploadedFile("s.json", json.dumps(data).encode())
    return admin.post(url(bot, "import"), {"file": file}, follow=True)


def test_a_new_bot_has_a_draft_that_can_be_published(admin: Client, bot: Bot) -> None:
    page = admin.get(url(bot))
    assert page.context["wrong"] == 0
    assert [row.id for row in page.context["rows"]] == ["topic", "people"]
    admin.post(url(bot, "publish"))
    bot.refresh_from_db()
    assert bot.published.number == 1
    assert bot.can_answer


@pytest.mark.parametrize("role", [Role.AGENT, Role.MANAGER])
def test_only_administrators_edit_scenarios(client: Client, bot: Bot, role: Role) -> None:
    client.force_login(UserFactory(role=role))
    assert client.get(url(bot)).status_code in (302, 403, 404)
    assert client.post(url(bot, "publish")).status_code in (302, 403, 404)
    assert not bot.versions.exists()


def test_a_bot_of_a_program_has_no_scenario(admin: Client, bot: Bot) -> None:
    Bot.objects.update(kind="program")
    assert admin.get(url(bot)).status_code == 404


def test_steps_are_added_saved_duplicated_deleted_and_undone(admin: Client, bot: Bot) -> None:
    answer = change(admin, bot, action="add", kind="say", step="topic")
    assert "step=say-1" in answer["Location"]
    change(
        admin, bot, action="save", step="say-1", title="Hello", text_en="Hi\r\nthere", next="topic"
    )
    saved = versions.draft_of(bot).steps["say-1"]
    assert saved == {
        "id": "say-1",
        "kind": "say",
        "title": "Hello",
        "text": {"en": "Hi\nthere"},
        "next": "topic",
    }
    change(admin, bot, action="start", step="say-1")
    change(admin, bot, action="duplicate", step="say-1")
    assert [*versions.draft_of(bot).steps] == ["topic", "say-1", "say-2", "people"]
    change(admin, bot, action="remove", step="topic")
    assert versions.draft_of(bot).steps["say-1"]["next"] == ""
    assert admin.get(url(bot)).context["wrong"] > 0
    for _ in range(10):
        change(admin, bot, action="undo")
    assert [*versions.draft_of(bot).steps] == ["topic", "people"]


@pytest.mark.parametrize("step_id", [step["id"] for step in shop().data["steps"]])
def test_saving_a_step_as_it_is_shown_changes_nothing(
    admin: Client, bot: Bot, step_id: str
) -> None:
    put(admin, bot, shop().data)
    before = versions.draft_of(bot)
    page = admin.get(url(bot), {"step": step_id})
    sent = {
        field.name: field.value
        for section in page.context["form"]
        for field in section.fields
        if field.kind != "tick" or field.value
    }
    change(admin, bot, action="save", step=step_id, **sent)
    problems = versions.problems_of(bot, versions.draft_of(bot))
    assert problems == versions.problems_of(bot, before)
    kept, now = before.steps[step_id], versions.draft_of(bot).steps[step_id]
    assert {name: now.get(name) for name in kept if kept[name]} == {
        name: kept[name] for name in kept if kept[name]
    }


def test_the_page_of_every_kind_of_step_shows_its_ways(admin: Client, bot: Bot) -> None:
    put(admin, bot, shop().data)
    page = admin.get(url(bot), {"step": "is_sent"})
    names = {field.name for section in page.context["form"] for field in section.fields}
    assert {"branch_0_source", "branch_0_next", "branch_1_source", "otherwise"} <= names


@pytest.mark.parametrize(
    ("action", "more"),
    [("dance", {"step": "topic"}), ("save", {"step": "gone"}), ("add", {"kind": "dance"})],
)
def test_unknown_changes_are_refused(
    admin: Client, bot: Bot, action: str, more: dict[str, str]
) -> None:
    assert change(admin, bot, action=action, **more).status_code == 404
    assert not bot.drafts.exists()


def test_what_has_not_the_format_is_not_saved(admin: Client, bot: Bot) -> None:
    sent = {"action": "save", "step": "topic", "text_en": "x" * 4001, "answer": "choice"}
    page = admin.post(url(bot, "change"), sent, follow=True)
    assert texts(page)[0].startswith("Not saved. steps/0/text/en:")
    assert versions.draft_of(bot).steps["topic"]["text"]["en"] == "How can we help you?"
    page = put(admin, bot, {"format": 3})
    assert texts(page)[0].startswith("This file is not a scenario.")
    assert admin.post(url(bot, "import")).status_code == 302


def test_export_and_import_are_inverse(admin: Client, bot: Bot) -> None:
    put(admin, bot, shop().data)
    file = admin.get(url(bot, "file"))
    assert json.loads(file.content) == shop().data
    assert "attachment" in file["Content-Disposition"]


def test_a_draft_with_problems_is_not_published(admin: Client, bot: Bot) -> None:
    change(admin, bot, action="add", kind="say", step="")
    page = admin.post(url(bot, "publish"), follow=True)
    assert texts(page) == ["The draft cannot be published yet."]
    assert not bot.versions.exists()
    assert b"leads nowhere" in page.content


def test_versions_name_their_differences_and_can_be_put_in_force_again(
    admin: Client, bot: Bot
) -> None:
    admin.post(url(bot, "publish"))
    put(admin, bot, shop().data)
    RuleFactory(website=bot.website, name="Sales")
    admin.post(url(bot, "publish"))
    page = admin.get(url(bot))
    (newest, changes), (_first, none) = page.context["versions"]
    assert newest.number == 2
    assert any("was added" in text for text in changes)
    assert none == []
    admin.post(url(bot, "roll_back", 1))
    bot.refresh_from_db()
    assert bot.published.number == 1
    assert versions.draft_of(bot).data == shop().data
    assert admin.post(url(bot, "roll_back", 7)).status_code == 404


def play(admin: Client, bot: Bot, *said: str, **settings: str) -> dict[str, Any]:
    body = {
        "said": [{"id": str(uuid.UUID(int=n)), "text": text} for n, text in enumerate(said)],
        "settings": {"language": "en", **settings},
    }
    answer = admin.post(url(bot, "play"), json.dumps(body), content_type="application/json")
    found: dict[str, Any] = answer.json()
    return found


def test_the_live_chat_plays_the_draft_and_stores_nothing(admin: Client, bot: Bot) -> None:
    put(admin, bot, shop().data)
    told = play(admin, bot, "My order", "CM-1234")
    bodies = [message["body"] for message in told["messages"]]
    assert bodies == [
        "Hello",
        "topic?",
        "My order",
        "number?",
        "CM-1234",
        "A person takes over.",
    ]
    assert told["status"] == "waiting"
    assert told["messages"][2]["id"] == str(uuid.UUID(int=0))
    assert play(admin, bot, "Something else", room="no")["status"] == "closed"
    frame = admin.get(url(bot, "chat"), {"language": "fr"})
    assert frame.status_code == 200
    assert b"live_chat" in frame.content


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"[" * 60_000, b'{"said": 3}', b'{"said": [{"id": "x"}]}'],
)
def test_the_live_chat_refuses_garbage(admin: Client, bot: Bot, body: bytes) -> None:
    answer = admin.post(url(bot, "play"), body, content_type="application/json")
    assert answer.status_code == 404


def test_a_saved_test_blocks_a_publication_that_breaks_it(admin: Client, bot: Bot) -> None:
    sent = {"name": "Person", "said": json.dumps(["Talk to a person"]), "language": "en"}
    admin.post(url(bot, "tests"), sent)
    test = BotTest.objects.get()
    assert test.trail == ["topic", "people"]
    admin.post(url(bot, "publish"))
    put(admin, bot, shop().data)
    page = admin.post(url(bot, "publish"), follow=True)
    assert bot.versions.count() == 1
    assert b"Was at" in page.content
    admin.post(url(bot, "test", test.pk), {"action": "accept"})
    admin.post(url(bot, "publish"))
    assert bot.versions.count() == 2
    admin.post(url(bot, "test", test.pk), {"action": "delete"})
    assert not bot.tests.exists()


def test_a_test_needs_a_name_and_words(admin: Client, bot: Bot) -> None:
    admin.post(url(bot, "tests"), {"name": "", "said": '["x"]'})
    admin.post(url(bot, "tests"), {"name": "x", "said": "[]"})
    for garbage in ("{", "[" * 60_000, "3"):
        assert admin.post(url(bot, "tests"), {"name": "x", "said": garbage}).status_code == 404
    assert not bot.tests.exists()


def test_words_that_ask_for_a_person_are_entered_beside_the_steps(admin: Client, bot: Bot) -> None:
    page = admin.get(url(bot))
    shown = {field.name: field.value for field in page.context["people"][0].fields}
    assert shown["words_en"] == ""
    sent = {"words_en": "boss\r\n\r\n the manager ", "text_fr": "Un instant.", "rule": ""}
    answer = admin.post(url(bot, "change"), {"action": "people", "step": "", **sent}, follow=True)
    assert texts(answer) == ["Saved. Visitors see the published version until you publish."]
    people = versions.draft_of(bot).people
    assert people == {"text": {"fr": "Un instant."}, "words": {"en": ["boss", "the manager"]}}
    shown = {field.name: field.value for field in answer.context["people"][0].fields}
    assert shown["words_en"] == "boss\nthe manager"


def test_a_card_has_up_to_three_links(admin: Client, bot: Bot) -> None:
    change(admin, bot, action="add", kind="cards", step="topic")
    links = {f"card_0_link_{n}_url": f"https://shop.example/{n}" for n in (1, 2, 3)}
    words = {f"card_0_link_{n}_en": f"Link {n}" for n in (1, 2, 3)}
    sent = {"card_0_title_en": "Lamp", "next": "people", **links, **words}
    change(admin, bot, action="save", step="cards-1", **sent)
    saved = versions.draft_of(bot).steps["cards-1"]["cards"][0]["links"]
    assert [link["url"][-1] for link in saved] == ["1", "2", "3"]
    assert saved[2]["text"] == {"en": "Link 3"}
    page = admin.get(url(bot), {"step": "cards-1"})
    names = [field.name for section in page.context["form"] for field in section.fields]
    assert "card_0_link_3_url" in names
    assert "card_0_link_4_url" not in names


def test_a_saved_test_holds_no_characters_that_cannot_be_stored(admin: Client, bot: Bot) -> None:
    admin.post(url(bot, "tests"), {"name": "x", "said": '["a\\u0000b \\ud800"]'})
    assert BotTest.objects.get().said == ["a\ufffdb \ufffd"]


def test_the_live_chat_asks_the_real_knowledge(admin: Client, bot: Bot) -> None:
    knowledge = {"id": "ask", "kind": "knowledge", "next": "what", "failed": "people"}
    data = dict(plan(ask("what", "text", "ask", name="what"), knowledge, people()).data)
    put(admin, bot, data)
    question = "How many days does delivery take?"
    assert play(admin, bot, question, language="en")["status"] == "waiting"
    body = "In two days."
    article = ArticleFactory(website=bot.website, language="en", name="Delivery days", body=body)
    answered = play(admin, bot, question, language="en")
    bodies = [message["body"] for message in answered["messages"]]
    link = f"http://127.0.0.1:8000/help/{bot.website.key}/{article.pk}/delivery-days/"
    assert f"“In two days.”\n\nDelivery days\n{link}" in bodies
    assert answered["status"] == "bot"


def test_a_scenario_that_asks_the_knowledge_needs_a_public_article(admin: Client, bot: Bot) -> None:
    knowledge = {"id": "ask", "kind": "knowledge", "next": "people", "failed": "people"}
    put(admin, bot, plan(knowledge, people()).data)
    ArticleFactory(website=bot.website, audience="agents")
    admin.post(url(bot, "publish"))
    bot.refresh_from_db()
    assert bot.published is None
    ArticleFactory(website=bot.website)
    admin.post(url(bot, "publish"))
    bot.refresh_from_db()
    assert bot.published is not None
