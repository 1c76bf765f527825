"""Tags are suggested from past conversations with similar questions."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.lifecycle.actors import BOT
from conversations.messages import sending
from conversations.models import Author, Conversation
from conversations.reasons import catalogue, suggesting, tagging
from conversations.reasons.suggesting import Past, rank
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import TagFactory, queued


def past(words: str, *tags: int) -> Past:
    return Past(frozenset(words.split()), frozenset(tags))


HISTORY = [
    past("hello my parcel is late", 1),
    past("hello where is my parcel", 1),
    past("hello the parcel has not come", 1, 2),
    past("hello i want my money back", 3),
    past("hello refund my money please", 3),
    past("hello the ring is broken", 4),
]


@pytest.mark.parametrize(
    ("words", "tags"),
    [
        ("hello my parcel", [1, 2]),
        ("money please", [3]),
        ("is the ring broken", [4]),
        ("hello", []),  # in every question: it makes nothing similar
        ("something else entirely", []),
        ("", []),
    ],
)
def test_similar_questions_suggest_their_tags(words: str, tags: list[int]) -> None:
    assert rank(words.split(), HISTORY)[: len(tags) or None] == tags


@given(
    st.sets(st.sampled_from("abcdef")),
    st.lists(
        st.builds(
            Past,
            st.frozensets(st.sampled_from("abcdef")),
            st.frozensets(st.integers(1, 9), min_size=1),
        ),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_order_of_the_past_does_not_matter(words: set[str], all_past: list[Past], random) -> None:  # type: ignore[no-untyped-def]
    ranked = rank(words, all_past)
    shuffled = list(all_past)
    random.shuffle(shuffled)
    if len(all_past) <= suggesting.NEIGHBOURS:
        assert rank(words, shuffled) == ranked
    assert len(ranked) == len(set(ranked)) <= suggesting.MOST
    assert set(ranked) <= {tag for one in all_past for tag in one.tags}


def said(step: RuleStep, body: str) -> Conversation:
    conversation = queued(step)
    sending.add(conversation.pk, author=Author.VISITOR, body=body, client_id=uuid.uuid4(), at=NOW)
    return conversation


@pytest.mark.django_db
def test_past_conversations_of_the_website_suggest_tags_in_use(step: RuleStep) -> None:
    website = step.rule.website
    late, gone = TagFactory(website=website), TagFactory(website=website)
    for body in ("Mon colis est en retard", "Où est mon colis ?"):
        tagging.add(said(step, body).pk, [late.pk, gone.pk], actor=BOT, at=NOW)
    for body in ("Une autre bague", "Bonjour", "La facture"):
        tagging.add(said(step, body).pk, [TagFactory(website=website).pk], actor=BOT, at=NOW)
    asked = said(step, "Mon COLIS n’arrive pas")

    def suggested() -> list[int]:
        offered = catalogue.offered_on(website.pk).values_list("pk", flat=True)
        return suggesting.for_conversation(asked, list(offered))

    assert suggested() == [late.pk, gone.pk]
    catalogue.archive(gone, at=NOW)
    assert suggested() == [late.pk]
    assert suggesting.for_conversation(queued(step), [late.pk]) == []
