"""Grouping questions: alike ones meet, whatever their order, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from conversations.knowledge.grouping import ALIKE, Question, group, similarity
from tests.clock import NOW


def question(pk: int, words: str, *, website: int = 1, language: str = "en") -> Question:
    return Question(
        pk=pk,
        conversation_id=pk,
        website_id=website,
        language=language,
        text=words,
        stems=frozenset(words.split()),
        asked_at=NOW + timedelta(minutes=pk),
    )


def test_alike_questions_are_one_topic_and_the_most_asked_comes_first() -> None:
    topics = group(
        [
            question(1, "engrave ring"),
            question(2, "cancel order"),
            question(3, "engrave ring gold"),
            question(4, "engrave gold ring name"),
        ]
    )
    assert [[one.pk for one in topic.questions] for topic in topics] == [[4, 3, 1], [2]]
    assert topics[0].title.pk == 3


def test_questions_of_other_websites_and_languages_stay_apart() -> None:
    same = "engrave ring"
    topics = group(
        [question(1, same), question(2, same, website=2), question(3, same, language="fr")]
    )
    assert [topic.title.pk for topic in topics] == [3, 2, 1]  # as often: the latest first


QUESTIONS = st.lists(
    st.builds(
        lambda words, website: (" ".join(sorted(words)), website),
        st.sets(st.sampled_from("abcdef"), min_size=1),
        st.integers(1, 2),
    ),
    max_size=8,
).map(lambda rows: [question(pk, words, website=site) for pk, (words, site) in enumerate(rows, 1)])


@given(QUESTIONS, st.randoms())
def test_topics_divide_the_questions_in_any_order(
    questions: list[Question], random: object
) -> None:
    topics = group(questions)
    assert sorted(one.pk for topic in topics for one in topic.questions) == [
        one.pk for one in questions
    ]
    topic_of = {one.pk: number for number, topic in enumerate(topics) for one in topic.questions}
    for one in questions:
        for other in questions:
            if one.website_id != other.website_id:
                assert topic_of[one.pk] != topic_of[other.pk]
            elif similarity(one, other) >= ALIKE:
                assert topic_of[one.pk] == topic_of[other.pk]
    shuffled = list(questions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert group(shuffled) == topics
