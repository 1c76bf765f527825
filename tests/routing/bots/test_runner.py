"""The runner: scenarios in real conversations, with killed workers, races and people."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from conversations.lifecycle import verbs
from conversations.lifecycle.transitions import DeadlineKind, Status
from conversations.messages import sending
from conversations.models import Author, CloseReason, Conversation
from core.events import outbox
from core.models import OutboxEntry
from routing import engagement
from routing.actions import escalation
from routing.bots import http_calls, knowledge_answers, runner
from routing.models import BotRun, BotVersion, RuleStep
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    ArticleFactory,
    BotFactory,
    RuleFactory,
    SkillFactory,
    StepFactory,
    VisitorFactory,
    connect,
    queued,
)
from tests.routing.bots.scenarios import ask, choose, people, plan, say, shop

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clock", "durable_wires"),
]


@pytest.fixture
def step() -> RuleStep:
    return step_of(dict(shop().data))


def step_of(scenario: dict[str, Any], *, places: int = 1) -> RuleStep:
    rule = RuleFactory(name="Sales")
    rule.bot = BotFactory(website=rule.website, scenario=scenario)
    rule.save()
    return StepFactory(rule=rule, places=places)


def start(step: RuleStep, body: str = "Hi", **visitor: Any) -> Conversation:
    conversation, _ = engagement.start(
        VisitorFactory(website=step.rule.website, **visitor),
        body=body,
        client_id=uuid.uuid4(),
        page_url="https://shop.example/",
        language="en",
        at=NOW,
    )
    return reload(conversation)


def reload(conversation: Conversation) -> Conversation:
    conversation.refresh_from_db()
    return conversation


def write(conversation: Conversation, body: str) -> None:
    """Let the visitor write; nothing answers until ``work``."""
    sending.add(conversation.pk, author=Author.VISITOR, body=body, client_id=uuid.uuid4(), at=NOW)


def work() -> None:
    """Do what a worker does, until nothing is owed."""
    while outbox.deliver_due():
        pass


def said(conversation: Conversation) -> list[str]:
    """Return what the bot and the product wrote."""
    rows = conversation.messages.exclude(author=Author.VISITOR).order_by("seq")
    return list(rows.values_list("body", flat=True))


def test_the_greeting_is_there_when_the_first_message_is_accepted(step: RuleStep) -> None:
    conversation = start(step, name="Ada")
    offer = conversation.messages.latest("seq").offer
    assert said(conversation)[0] == "Hello Ada"
    assert offer["choices"] == ["My order", "Lamps", "Something else"]
    assert conversation.deadline_kind == DeadlineKind.BOT_INACTIVITY
    assert BotRun.objects.get().trail == ["hello", "topic"]


def test_an_answer_is_owed_with_the_message_and_given_by_a_worker(step: RuleStep) -> None:
    conversation = start(step)
    write(conversation, "My order")
    assert said(conversation)[-1].startswith("topic?")
    assert reload(conversation).deadline_kind == DeadlineKind.BOT_SILENCE
    work()
    assert said(conversation)[-1] == "number?"
    assert reload(conversation).deadline_kind == DeadlineKind.BOT_INACTIVITY


def test_a_message_after_the_escalation_is_not_for_the_bot(step: RuleStep) -> None:
    conversation = start(step)
    write(conversation, "Something else")
    work()
    assert reload(conversation).status == Status.QUEUED
    assert said(conversation)[-1] == "A person takes over."
    before = OutboxEntry.objects.count()
    write(conversation, "My order")
    assert OutboxEntry.objects.count() == before
    work()
    assert said(conversation)[-1] == "A person takes over."


def test_a_turn_that_is_killed_at_any_write_is_done_once(
    step: RuleStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies before the first, second ... write of the turn, then a worker repeats it."""
    conversation = start(step)
    write(conversation, "Lamps")
    real_add, real_save = sending.add, BotRun.save
    lives: list[int] = [0]

    def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if lives[0] == 0:
                raise SystemExit("killed")
            lives[0] -= 1
            return real(*args, **kwargs)

        return call

    monkeypatch.setattr(sending, "add", mortal(real_add))
    monkeypatch.setattr(BotRun, "save", mortal(real_save))
    for number in range(3):
        lives[0] = number
        before = said(conversation)
        with pytest.raises(SystemExit):
            runner.answer_visitor(conversation_id=conversation.pk)
        assert said(conversation) == before
    monkeypatch.undo()
    work()
    work()
    bodies = said(conversation)
    assert [body.splitlines()[0] for body in bodies[2:]] == ["Moon", "Goodbye"]
    assert reload(conversation).status == Status.CLOSED
    assert conversation.close_reason == CloseReason.BOT_ENDED


def test_a_reaction_that_runs_twice_does_nothing_the_second_time(step: RuleStep) -> None:
    conversation = start(step)
    write(conversation, "My order")
    for _ in range(3):
        runner.answer_visitor(conversation_id=conversation.pk)
        runner.begin(conversation_id=conversation.pk)
    assert said(conversation)[2:] == ["number?"]
    assert BotRun.objects.get().turns == 2


def test_two_messages_at_once_are_two_answers_in_their_order() -> None:
    step = step_of(
        dict(
            plan(
                ask("a", "text", "b"), ask("b", "text", "c"), choose("c", ("x", "people")), people()
            ).data
        )
    )
    conversation = start(step)
    write(conversation, "one")
    write(conversation, "two")
    together(*[lambda: runner.answer_visitor(conversation_id=conversation.pk)] * 4)
    assert [body.splitlines()[0] for body in said(conversation)] == ["a?", "b?", "c?"]


def test_an_agent_who_took_over_hears_no_more_of_the_bot(step: RuleStep) -> None:
    conversation = start(step)
    write(conversation, "My order")
    agent = AgentFactory()
    step.group.members.add(agent)
    connect(agent)
    escalate(conversation)
    reload(conversation)
    assert conversation.status == Status.ACTIVE
    before = said(conversation)
    work()
    assert said(conversation) == before


def together(*acts: Callable[[], object]) -> None:
    """Run all at the same time, each on its own connection; fail if one fails."""
    barrier = threading.Barrier(len(acts))
    failures: list[Exception] = []

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
        except Exception as error:
            failures.append(error)
        connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def escalate(conversation: Conversation) -> None:
    assert escalation.escalate(conversation.pk, at=NOW)


def test_an_escalation_while_the_bot_answers_lets_one_of_them_go_first(step: RuleStep) -> None:
    for _ in range(3):
        RuleStep.objects.filter(pk=step.pk).update(places=10)
        conversation = start(step)
        write(conversation, "My order")

        together(
            lambda c=conversation: runner.answer_visitor(conversation_id=c.pk),
            lambda c=conversation: escalate(c),
        )
        assert reload(conversation).status == Status.QUEUED
        authors = list(conversation.messages.order_by("seq").values_list("author", flat=True))
        # Nothing of the bot after the notice that people take over.
        assert "bot" not in authors[authors.index("system") :]
        work()


def test_without_room_the_scenario_has_its_way(step: RuleStep) -> None:
    conversation = start(step)
    queued(step)
    write(conversation, "Something else")
    work()
    assert said(conversation)[2:] == ["Nobody is here.", "Goodbye"]
    assert reload(conversation).status == Status.CLOSED


def test_without_room_and_a_way_the_visitor_is_told_and_people_are_asked_again() -> None:
    step = step_of(dict(plan(choose("a", ("x", "people")), people()).data))
    conversation = start(step)
    waiting = queued(step)
    write(conversation, "x")
    work()
    assert "queue is full" in said(conversation)[-1]
    assert reload(conversation).deadline_kind == DeadlineKind.BOT_SILENCE  # not the visitor's
    verbs.push(waiting.pk, agent=AgentFactory(), at=NOW)
    write(conversation, "still there?")
    work()
    assert reload(conversation).status == Status.QUEUED


def test_an_escalation_by_another_rule_takes_that_rule_over() -> None:
    step = step_of(dict(plan(choose("a", ("x", "vip")), people("vip", rule="VIP")).data))
    other = StepFactory(rule=RuleFactory(website=step.rule.website, name="VIP", style="social"))
    conversation = start(step)
    write(conversation, "x")
    work()
    reload(conversation)
    assert (conversation.rule_id, conversation.queue_id) == (other.rule_id, other.pk)
    assert (conversation.style, conversation.solved_window) == ("social", other.rule.window)


def test_skills_that_a_step_requires_bind_the_escalation() -> None:
    needs = {"id": "needs", "kind": "set", "skills": ["Dutch"], "next": "people"}
    step = step_of(dict(plan(choose("a", ("x", "needs")), needs, people()).data))
    skill = SkillFactory(website=step.rule.website, name="Dutch")
    conversation = start(step)
    write(conversation, "x")
    work()
    assert reload(conversation).required_skills == [skill.pk]


def test_a_visitor_who_asks_for_a_person_in_the_first_message_gets_one(step: RuleStep) -> None:
    conversation = start(step, "Je voudrais parler à une personne")
    work()
    assert reload(conversation).status == Status.QUEUED


def test_conversations_that_run_finish_with_their_version(step: RuleStep) -> None:
    conversation = start(step)
    bot = step.rule.bot
    bot.published = BotVersion.objects.create(
        bot=bot,
        number=2,
        scenario=plan(say("new", "people", "Version 2"), people()).data,
        published_at=NOW,
    )
    bot.save()
    write(conversation, "My order")
    work()
    assert said(conversation)[-1] == "number?"
    other = start(step)
    assert said(other)[0] == "Version 2"


def test_a_bot_without_a_published_version_leaves_its_rule_to_people() -> None:
    step = step_of({})
    step.rule.bot.kind = "scenario"
    step.rule.bot.save()
    assert start(step).status == Status.QUEUED


def test_a_conversation_from_before_the_scenarios_begins_when_the_visitor_writes(
    step: RuleStep,
) -> None:
    conversation = start(step)
    BotRun.objects.all().delete()
    write(conversation, "Lamps")
    work()
    assert said(conversation)[-1] == "Goodbye"


# --- Calls ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "last"), [({"status": "sent"}, "Goodbye"), (None, "A person takes over.")]
)
def test_a_call_is_made_after_the_turn_and_its_end_goes_on(
    step: RuleStep, monkeypatch: pytest.MonkeyPatch, values: dict[str, str] | None, last: str
) -> None:
    made: list[str] = []

    def make(call: dict[str, Any]) -> http_calls.Outcome:
        assert BotRun.objects.get().state["waits"] == "call"
        made.append(call["url"])
        return http_calls.Outcome(values)

    monkeypatch.setattr(http_calls, "make", make)
    conversation = start(step)
    write(conversation, "My order")
    work()
    write(conversation, "CM-1234")
    work()
    assert made == ["https://shop.example/orders/CM-1234"]
    assert said(conversation)[-1] == last
    run = BotRun.objects.get()
    runner.call(conversation_id=conversation.pk, turn=run.turns)
    assert len(made) == 1


def test_a_late_end_of_a_call_is_ignored_once_a_person_was_asked_for(
    step: RuleStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = start(step)
    write(conversation, "My order")
    work()
    monkeypatch.setattr(http_calls, "make", lambda call: pytest.fail("obsolete"))
    write(conversation, "CM-1234")
    runner.answer_visitor(conversation_id=conversation.pk)
    turn = BotRun.objects.get().turns
    write(conversation, "a human please")
    runner.answer_visitor(conversation_id=conversation.pk)
    runner.call(conversation_id=conversation.pk, turn=turn)
    work()
    assert reload(conversation).status == Status.QUEUED


def test_two_workers_that_made_the_same_call_go_on_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have made the call before either goes on; the second end must not be taken for that of
    the next call."""

    def calls(step_id: str, following: str) -> dict[str, Any]:
        url, answers = f"https://shop.example/{step_id}", {step_id: "value"}
        ways = {"next": following, "failed": "people"}
        return {"id": step_id, "kind": "call", "url": url, "answers": answers, **ways}

    greeting = ask("hello", "text", "first")
    step = step_of(
        dict(plan(greeting, calls("first", "last"), calls("last", "end"), people("end")).data)
    )
    conversation = start(step)
    write(conversation, "go")
    runner.answer_visitor(conversation_id=conversation.pk)
    turn = BotRun.objects.get().turns
    both_called = threading.Barrier(2)

    def make(call: dict[str, Any]) -> http_calls.Outcome:
        name = next(iter(call["paths"]))
        if name == "first":
            both_called.wait()
        return http_calls.Outcome({name: f"of {name}"})

    monkeypatch.setattr(http_calls, "make", make)
    together(*[lambda: runner.call(conversation_id=conversation.pk, turn=turn)] * 2)
    run = BotRun.objects.get()
    assert (run.turns, run.trail) == (turn + 1, ["hello", "first", "last"])
    work()
    assert BotRun.objects.get().state["values"] == {"first": "of first", "last": "of last"}


def knowing() -> dict[str, Any]:
    asked = ask("what", "text", "ask", name="what")
    knowledge = {"id": "ask", "kind": "knowledge", "next": "what", "failed": "people"}
    return dict(plan(asked, knowledge, people()).data)


def test_the_knowledge_answers_with_a_passage_and_its_link() -> None:
    step = step_of(knowing())
    website = step.rule.website
    body = "We deliver in **two days**.\n\nElsewhere it takes a week."
    article = ArticleFactory(website=website, language="en", name="Delivery times", body=body)
    conversation = start(step)
    write(conversation, "How many days does delivery take?")
    work()
    link = f"http://127.0.0.1:8000/help/{website.key}/{article.pk}/delivery-times/"
    assert said(conversation)[-2:] == [
        f"“We deliver in two days.”\n\nDelivery times\n{link}",
        "what?",
    ]
    assert reload(conversation).status == Status.BOT
    assert not conversation.unanswered_questions.exists()


@pytest.mark.parametrize("hidden", [{"audience": "agents"}, {"state": "draft"}, {"language": "fr"}])
def test_where_the_knowledge_has_no_answer_people_take_over(hidden: dict[str, str]) -> None:
    step = step_of(knowing())
    fields = {"website": step.rule.website, "language": "en"} | hidden
    ArticleFactory(name="Delivery times", body="In two days.", **fields)
    conversation = start(step)
    write(conversation, "How many days does delivery take?")
    assert reload(conversation).deadline_kind == DeadlineKind.BOT_SILENCE
    work()
    assert "two days" not in "".join(said(conversation))
    assert reload(conversation).status == Status.QUEUED
    [unanswered] = conversation.unanswered_questions.all()
    assert unanswered.text == "How many days does delivery take?"


def test_an_answer_of_the_knowledge_after_a_take_over_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = step_of(knowing())
    ArticleFactory(website=step.rule.website, language="en", name="Delivery", body="In two days.")
    conversation = start(step)
    write(conversation, "When is delivery?")
    real = knowledge_answers.quote_for

    def slow(*asked: Any) -> Any:
        escalate(conversation)
        return real(*asked)

    monkeypatch.setattr(knowledge_answers, "quote_for", slow)
    work()
    assert "two days" not in "".join(said(conversation))
    assert reload(conversation).status == Status.QUEUED


def test_a_repeated_question_to_the_knowledge_is_answered_once() -> None:
    step = step_of(knowing())
    ArticleFactory(website=step.rule.website, language="en", name="Delivery", body="In two days.")
    conversation = start(step)
    write(conversation, "When is delivery?")
    runner.answer_visitor(conversation_id=conversation.pk)
    turn = BotRun.objects.get().turns
    for _twice in range(2):
        runner.call(conversation_id=conversation.pk, turn=turn)
    work()
    assert "".join(said(conversation)).count("two days") == 1
