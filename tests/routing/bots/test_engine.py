"""The engine: what it answers, that it always ends, and that it equals a slow second one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.bots import filling
from routing.bots.engine import advance
from routing.bots.plays import (
    Action,
    AskKnowledge,
    Began,
    Call,
    Called,
    Close,
    Enter,
    Escalate,
    Event,
    Facts,
    Found,
    NoRoom,
    Quote,
    Reason,
    Said,
    Send,
    State,
    Stay,
    Waits,
)
from routing.bots.scenario import Scenario
from tests.routing.bots import slow_engine
from tests.routing.bots.scenarios import (
    ask,
    both,
    choose,
    people,
    plan,
    random_plans,
    say,
    shop,
)

ENGLISH = Facts(language="en")


def play(scenario: Scenario, *said: str | Event) -> tuple[State, tuple[Action, ...]]:
    """Play a conversation; return the state and the actions after the last event."""
    state, actions = advance(scenario, State(), Began(ENGLISH))
    for one in said:
        event = Said(ENGLISH, one) if isinstance(one, str) else one
        state, actions = advance(scenario, state, event)
    return state, actions


def texts(actions: tuple[Action, ...]) -> list[str]:
    return [action.text for action in actions if isinstance(action, Send)]


def test_steps_that_wait_for_nothing_are_passed_up_to_the_first_question() -> None:
    state, actions = play(shop())
    assert actions == (
        Enter("hello"),
        Send("Hello"),
        Enter("topic"),
        Send("topic?", ("My order", "Lamps", "Something else")),
    )
    assert (state.step, state.waits) == ("topic", Waits.ANSWER)


@pytest.mark.parametrize("said", ["My order", "  my ORDER!", "My order (fr)", "1"])
def test_a_choice_is_pressed_or_typed_in_any_language(said: str) -> None:
    state, _ = play(shop(), said)
    assert state.step == "number"
    assert state.values == {"topic": "My order"}


def test_an_invalid_answer_is_asked_again_up_to_the_limit() -> None:
    asked = ask("email", "email", "bye", retry=both("An address has an @."), tries=2)
    scenario = plan(asked, people(), {"id": "bye", "kind": "close"})
    state, actions = play(scenario, "what?")
    assert texts(actions) == ["An address has an @."]
    assert state.tries == 1
    _, actions = play(scenario, "what?", "never")
    assert [type(action) for action in actions] == [Enter, Escalate]
    state, actions = play(scenario, "what?", "It is Ada@Example.org, thanks")
    assert actions[-1] == Close()


def test_a_call_puts_the_answer_escaped_into_its_address_and_waits_for_its_end() -> None:
    asked = ask("what", "text", "call", name="what")
    call = {
        "id": "call",
        "kind": "call",
        "url": "https://shop.example/{what}?of={what}",
        "next": "people",
        "failed": "people",
    }
    _, actions = play(plan(asked, call, people()), "../a b&x={what}")
    made = actions[-1]
    assert isinstance(made, Call)
    escaped = "..%2Fa%20b%26x%3D%7Bwhat%7D"
    assert made.url == f"https://shop.example/{escaped}?of={escaped}"


def test_the_end_of_a_call_goes_on_and_late_or_repeated_ends_change_nothing() -> None:
    known = Called(ENGLISH, "status", {"status": "sent", "secret": "x"})
    state, actions = play(shop(), "My order", "cm-1234 I think", known)
    assert texts(actions) == ["Your order CM-1234 is on its way.", "Goodbye"]
    assert state.values == {"topic": "My order", "order": "CM-1234", "status": "sent"}
    assert advance(shop(), state, known) == (state, ())
    failed, actions = play(shop(), "My order", "CM-1234", Called(ENGLISH, "status", None))
    assert failed.step == "people"
    early, _ = play(shop(), "My order")
    assert advance(shop(), early, known) == (early, ())


def test_a_message_during_a_call_waits_for_its_end() -> None:
    state, _ = play(shop(), "My order", "CM-1234")
    assert advance(shop(), state, Said(ENGLISH, "hurry"))[1] == ()


def test_without_room_the_scenario_goes_its_own_way_or_waits_for_room() -> None:
    _, actions = play(shop(), "Something else", NoRoom(ENGLISH))
    assert texts(actions) == ["Nobody is here.", "Goodbye"]
    plain = plan(people())
    state, actions = play(plain, NoRoom(ENGLISH))
    assert actions == (Stay(),)
    assert isinstance(advance(plain, state, Said(ENGLISH, "hello?"))[1][0], Escalate)


@pytest.mark.parametrize(
    "said",
    [
        "I would like to talk to a person",
        "Je voudrais parler à une personne",
        "un CONSEILLER, vite",
        "quelqu’un du rayon",
    ],
)
def test_a_visitor_can_ask_for_a_person_at_every_step(said: str) -> None:
    words = {"words": {"fr": ["quelqu'un du rayon"]}, "text": both("One moment.")}
    for path in ([], ["My order"], ["My order", "CM-1234"], ["Something else"]):
        state, _ = play(shop(), *path)
        scenario = plan(*shop().data["steps"], people=words)
        state, actions = advance(scenario, state, Said(ENGLISH, said))
        assert actions == (Escalate("", "One moment.", Reason.PERSON, summary=True),)
        assert state.is_asked
    first = advance(plan(say("a", "b"), people("b")), State(), Began(ENGLISH, "A human please"))
    assert isinstance(first[1][0], Escalate)


def test_a_choice_may_be_called_like_people_and_leads_where_the_scenario_says() -> None:
    scenario = plan(
        choose("topic", ("Talk to an agent", "vip")), people("vip", rule="VIP"), people()
    )
    _, actions = play(scenario, "Talk to an agent")
    assert actions[-1] == Escalate("VIP", "", Reason.STEP, summary=True)


def test_a_circle_and_a_way_to_nowhere_lead_to_people() -> None:
    _, actions = play(plan(say("a", "b"), say("b", "a")))
    assert actions[-1] == Escalate("", "", Reason.LOOP, summary=True)
    _, actions = play(plan(say("a", "")))
    assert actions[-1] == Escalate("", "", Reason.NO_WAY, summary=True)


def test_a_value_is_never_searched_for_names_again() -> None:
    asked = ask("what", "text", "echo", name="what")
    scenario = plan(asked, say("echo", "people", "{what} {unknown}"), people())
    _, actions = play(scenario, "{what}{what}")
    assert texts(actions) == ["{what}{what}"]


def test_conditions_ask_for_hours_places_page_and_data() -> None:
    def branch(source: str, operator: str, value: str, name: str = "") -> bool:
        condition = {
            "id": "if",
            "kind": "condition",
            "branches": [
                {
                    "source": source,
                    "name": name,
                    "operator": operator,
                    "value": value,
                    "next": "yes",
                }
            ],
            "otherwise": "no",
        }
        facts = Facts(
            language="fr",
            page="https://shop.example/cart",
            data={"cart": 120.0},
            visitor={"returning": True},
            is_open={"": False},
            places={"": 2},
            agents={"VIP": 0},
        )
        scenario = plan(condition, say("yes", "people"), say("no", "people"), people())
        return Enter("yes") in advance(scenario, State(), Began(facts))[1]

    assert branch("hours", "is", "no")
    assert branch("places", "at_least", "2")
    assert not branch("agents", "at_least", "1", "VIP")
    assert branch("page", "contains", "/cart")
    assert branch("data", "at_least", "100", "cart")
    assert branch("visitor", "is", "yes", "returning")
    assert branch("language", "is", "fr")
    assert not branch("language", "is", "en")


KNOWLEDGE = {"id": "ask", "kind": "knowledge", "next": "helped", "failed": "people"}
QUOTE = Quote("In two days.", "Delivery", "https://a.example/help/1/")


def knowing() -> Scenario:
    asked = ask("what", "text", "ask", name="what")
    return plan(asked, KNOWLEDGE, say("helped", "bye", "Did that help?"), BYE, people())


BYE = {"id": "bye", "kind": "close"}


def test_the_knowledge_is_asked_with_the_visitors_last_words() -> None:
    state, actions = play(knowing(), "When will my parcel come?")
    assert actions == (Enter("ask"), AskKnowledge("ask", "When will my parcel come?"))
    assert state.waits == Waits.CALL
    assert advance(knowing(), state, Said(ENGLISH, "hurry"))[1] == ()
    first = advance(
        plan(KNOWLEDGE, say("helped", "people"), people()), State(), Began(ENGLISH, "?")
    )
    assert first[1][-1] == AskKnowledge("ask", "?")


def test_a_file_without_words_asks_with_the_words_before_it() -> None:
    once = ask("what", "text", "bye", "ask", name="what", tries=1)
    scenario = plan(once, KNOWLEDGE, say("helped", "bye"), BYE, people())
    state, _ = advance(scenario, State(), Began(ENGLISH, "When?"))
    assert advance(scenario, state, Said(ENGLISH, ""))[1][-1] == AskKnowledge("ask", "When?")


def test_an_answer_is_quoted_with_its_source_in_the_marks_of_the_language() -> None:
    state, _ = play(knowing(), "When?")
    _, actions = advance(knowing(), state, Found(ENGLISH, "ask", QUOTE))
    source = "\n\nDelivery\nhttps://a.example/help/1/"
    assert texts(actions) == [f"“In two days.”{source}", "Did that help?"]
    _, actions = advance(knowing(), state, Found(Facts(language="fr-CA"), "ask", QUOTE))
    assert texts(actions)[0] == f"«\u00a0In two days.\u00a0»{source}"


@pytest.mark.parametrize(
    "quote",
    [
        None,
        Quote("In two days.", "Delivery", ""),
        Quote("In two days.", "", "x"),
        Quote("", "x", "x"),
    ],
)
def test_what_has_no_source_is_not_said_and_the_visitor_is_passed_on(quote: Quote | None) -> None:
    state, _ = play(knowing(), "When?")
    state, actions = advance(knowing(), state, Found(ENGLISH, "ask", quote))
    assert texts(actions) == []
    assert isinstance(actions[-1], Escalate)
    assert state.step == "people"


def test_a_long_passage_is_cut_and_its_source_is_not() -> None:
    state, _ = play(knowing(), "When?")
    long = Quote("x" * 9000, "Delivery", "https://a.example/help/1/")
    _, actions = advance(knowing(), state, Found(ENGLISH, "ask", long))
    assert texts(actions)[0].endswith("x”\n\nDelivery\nhttps://a.example/help/1/")
    assert len(texts(actions)[0]) <= 4000


def test_a_late_or_foreign_answer_of_the_knowledge_changes_nothing() -> None:
    state, _ = play(knowing(), "When?")
    for event in (Found(ENGLISH, "what", QUOTE), Called(ENGLISH, "ask", {"x": "1"})):
        assert advance(knowing(), state, event) == (state, ())
    later, _ = advance(knowing(), state, Found(ENGLISH, "ask", None))
    assert advance(knowing(), later, Found(ENGLISH, "ask", QUOTE)) == (later, ())


def test_a_state_from_before_the_knowledge_can_be_read() -> None:
    stored = State(step="what", waits=Waits.ANSWER).as_json()
    del stored["said"]
    assert State.of_json(stored) == State(step="what", waits=Waits.ANSWER)


# --- Random scenarios -----------------------------------------------------------------------

SAID = st.sampled_from(["yes", "no", "2", "a1", "ada@example.org", "", "human", "01/02/2026"])
FACTS = st.builds(
    lambda is_open, data: Facts(language="en", is_open={"": is_open}, data=data),
    st.booleans(),
    st.sampled_from([{}, {"x": "yes"}]),
)
QUOTES = st.sampled_from(
    [
        None,
        Quote("In two days.", "Delivery", "https://a.example/help/1/"),
        Quote("In two days.", "Delivery", ""),
    ]
)
EVENTS = st.one_of(
    st.builds(Said, FACTS, SAID),
    st.builds(NoRoom, FACTS),
    st.builds(Began, FACTS, SAID),
    st.builds(Found, FACTS, st.sampled_from(["a", "b", "c"]), QUOTES),
    st.builds(
        Called, FACTS, st.sampled_from(["a", "b", "c"]), st.sampled_from([None, {"x": "yes"}, {}])
    ),
)
HISTORIES = st.tuples(st.builds(Began, FACTS, SAID), st.lists(EVENTS, max_size=8)).map(
    lambda pair: [pair[0], *pair[1]]
)


@settings(max_examples=300, deadline=None)
@given(random_plans(), HISTORIES)
def test_it_equals_the_slow_engine(scenario: Scenario, events: list[Event]) -> None:
    state = State()
    for number, event in enumerate(events, start=1):
        state, actions = advance(scenario, state, event)
        assert list(actions) == slow_engine.played(scenario, events[:number])


@settings(max_examples=300, deadline=None)
@given(random_plans(), HISTORIES)
def test_it_ends_and_enters_no_step_twice_without_input(
    scenario: Scenario, events: list[Event]
) -> None:
    state = State()
    entered: list[str] = []
    for event in events:
        if isinstance(event, Said | Began):
            entered = []
        state, actions = advance(scenario, state, event)
        entered += [action.step for action in actions if isinstance(action, Enter)]
        assert len(set(entered)) == len(entered)
        assert state.waits != Waits.BEGINNING
        # Something waits, or it is over: whoever is asked for next is told by exactly one action.
        assert (
            sum(isinstance(action, Call | AskKnowledge | Escalate | Close) for action in actions)
            <= 1
        )


@settings(max_examples=200, deadline=None)
@given(random_plans(), HISTORIES)
def test_a_state_survives_storage(scenario: Scenario, events: list[Event]) -> None:
    state = State()
    for event in events:
        stored = State.of_json(json.loads(json.dumps(state.as_json())))
        assert stored == state
        assert advance(scenario, stored, event) == advance(scenario, state, event)
        state = advance(scenario, state, event)[0]


@given(st.text(max_size=40), st.text(max_size=40))
def test_filling_in_is_literal(text: str, value: str) -> None:
    filled = filling.fill(f"{{x}}{text}".replace("{", "{", 1), {"x": value}, Facts())
    assert filled.startswith(value)
