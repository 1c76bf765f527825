"""Tags are added, removed, archived and merged; the record replays to the stored tags."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Agent, Change
from conversations.lifecycle import actors
from conversations.lifecycle.actors import BOT, SYSTEM
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation, ConversationTag, Event, ReasonEvent, Tag
from conversations.privacy import personal_data
from conversations.reasons import catalogue, record, tagging
from core.rejection import Rejected
from routing.actions import undo
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import TagFactory, WebsiteFactory, in_status, queued

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def names_on(conversation: Conversation) -> set[str]:
    marks = ConversationTag.objects.filter(conversation=conversation.pk)
    return set(marks.values_list("tag__name", flat=True))


@pytest.mark.parametrize("status", list(Status))
def test_tag_is_added_and_removed_in_every_state(
    status: Status, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(status, step, agent)
    tag, actor = TagFactory(website=step.rule.website, name="Refund"), actors.agent(agent.user)
    before = Conversation.objects.get(pk=conversation.pk)
    lines = Event.objects.count()
    assert tagging.add(conversation.pk, [tag.pk], actor=actor, at=NOW) == [tag]
    assert tagging.add(conversation.pk, [tag.pk], actor=actor, at=NOW) == []
    assert names_on(conversation) == {"Refund"}
    assert tagging.remove(conversation.pk, tag.pk, actor=actor, at=NOW)
    assert not tagging.remove(conversation.pk, tag.pk, actor=actor, at=NOW)
    said = record.lines_of(conversation.pk).values_list("kind", "actor_user_id", "before", "after")
    assert list(said) == [
        ("tagged", agent.user_id, "", "Refund"),
        ("untagged", agent.user_id, "Refund", ""),
    ]
    after = Conversation.objects.get(pk=conversation.pk)
    assert (after.status, after.moved_at) == (before.status, before.moved_at)
    assert Event.objects.count() == lines


def test_tag_after_an_action_does_not_stand_in_the_way_of_its_undo(
    step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(Status.SNOOZED, step, agent)
    assert undo.last_act(conversation.pk, user=agent.user, at=NOW) is not None
    tag = TagFactory(website=step.rule.website)
    tagging.add(conversation.pk, [tag.pk], actor=actors.agent(agent.user), at=NOW)
    assert undo.last_act(conversation.pk, user=agent.user, at=NOW) is not None


def test_tags_of_other_websites_and_archived_ones_are_refused(step: RuleStep) -> None:
    conversation, website = queued(step), step.rule.website
    good = TagFactory(website=website)
    archived = TagFactory(website=website)
    catalogue.archive(archived, at=NOW)
    for bad in (TagFactory(website=WebsiteFactory()).pk, archived.pk, 10**15):
        with pytest.raises(Rejected) as refused:
            tagging.add(conversation.pk, [good.pk, bad], actor=BOT, at=NOW)
        assert refused.value.code == "tag"
    assert names_on(conversation) == set()
    catalogue.restore(archived)
    assert tagging.add(conversation.pk, [archived.pk], actor=BOT, at=NOW) == [archived]


def test_number_of_tags_is_limited(step: RuleStep) -> None:
    conversation = queued(step)
    tags = [TagFactory(website=step.rule.website).pk for _n in range(tagging.TAG_LIMIT + 1)]
    tagging.add(conversation.pk, tags[:-1], actor=BOT, at=NOW)
    with pytest.raises(Rejected) as refused:
        tagging.add(conversation.pk, tags, actor=BOT, at=NOW)
    assert refused.value.code == "too_many_tags"
    # Those that are there already count once.
    assert tagging.add(conversation.pk, tags[:-1], actor=BOT, at=NOW) == []


def test_merge_moves_every_conversation_once_and_keeps_the_record(step: RuleStep) -> None:
    website = step.rule.website
    first, second = TagFactory(website=website, name="Refund"), TagFactory(website=website)
    one, both, other = queued(step), queued(step), queued(step)
    tagging.add(one.pk, [first.pk], actor=BOT, at=NOW)
    tagging.add(both.pk, [first.pk, second.pk], actor=BOT, at=NOW)
    tagging.add(other.pk, [second.pk], actor=BOT, at=NOW)
    assert catalogue.merge(first, into=second, actor=SYSTEM, at=NOW) == 2
    for conversation in (one, both, other):
        assert names_on(conversation) == {second.name}
    first.refresh_from_db()
    assert (first.merged_into, first.archived_at) == (second, NOW)
    assert record.lines_of(one.pk).last().before == "Refund"
    assert list(record.differences(Conversation.objects.all())) == []
    changes = Change.objects.filter(model="conversations.tag", object_id=first.pk, kind="UPDATE")
    assert [change.after["merged_into_id"] for change in changes] == [second.pk]


def test_what_cannot_be_merged_is_refused(step: RuleStep) -> None:
    website = step.rule.website
    first, second, third = (TagFactory(website=website) for _n in range(3))
    catalogue.merge(first, into=second, actor=SYSTEM, at=NOW)
    catalogue.archive(third, at=NOW)
    foreign = TagFactory(website=WebsiteFactory())
    for tag, into in ((second, second), (first, third), (second, third), (second, foreign)):
        with pytest.raises(Rejected):
            catalogue.merge(tag, into=into, actor=SYSTEM, at=NOW)
    first.refresh_from_db()
    with pytest.raises(Rejected):
        catalogue.restore(first)


def test_name_is_used_once_whatever_its_capitals_until_it_is_merged(step: RuleStep) -> None:
    website = step.rule.website
    first, second = TagFactory(website=website, name="Refund"), TagFactory(website=website)
    with pytest.raises(IntegrityError), transaction.atomic():
        TagFactory(website=website, name="refund")
    TagFactory(website=WebsiteFactory(), name="refund")
    catalogue.merge(first, into=second, actor=SYSTEM, at=NOW)
    TagFactory(website=website, name="refund")


ACTIONS = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 3), st.integers(0, 4)),
    st.tuples(st.just("remove"), st.integers(0, 3), st.integers(0, 4)),
    st.tuples(st.just("merge"), st.integers(0, 4), st.integers(0, 4)),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ACTIONS, max_size=25))
def test_merging_loses_no_figure_and_the_record_replays(
    step: RuleStep, actions: list[tuple[str, int, int]]
) -> None:
    """After any history: the stored tags are those of a model in memory, the record replays to
    them, and the conversations of a merged tag are exactly the union of both."""
    with transaction.atomic():
        website = step.rule.website
        tags = [TagFactory(website=website) for _n in range(5)]
        numbers = [queued(step).pk for _n in range(4)]
        expected: dict[int, set[int]] = {tag.pk: set() for tag in tags}
        for what, first, second in actions:
            if what == "merge":
                source, target = tags[first], tags[second]
                union = expected[source.pk] | expected[target.pk]
                try:
                    moved = catalogue.merge(source, into=target, actor=SYSTEM, at=NOW)
                except Rejected:
                    continue
                assert moved == len(expected[source.pk])
                expected[target.pk], expected[source.pk] = union, set()
            elif what == "add":
                try:
                    tagging.add(numbers[first], [tags[second].pk], actor=BOT, at=NOW)
                except Rejected:
                    assert Tag.objects.get(pk=tags[second].pk).is_archived
                else:
                    expected[tags[second].pk].add(numbers[first])
            else:
                tagging.remove(numbers[first], tags[second].pk, actor=BOT, at=NOW)
                expected[tags[second].pk].discard(numbers[first])
        stored: dict[int, set[int]] = {tag.pk: set() for tag in tags}
        for tag, number in ConversationTag.objects.values_list("tag", "conversation"):
            stored[tag].add(number)
        assert stored == expected
        assert list(record.differences(Conversation.objects.all())) == []
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_command_finds_a_tag_without_a_line(step: RuleStep) -> None:
    conversation = queued(step)
    tag = TagFactory(website=step.rule.website)
    ConversationTag.objects.create(conversation=conversation, tag=tag, tagged_at=NOW)
    said = list(record.differences(Conversation.objects.all()))
    assert said == [(conversation.pk, f"tags are [{tag.pk}], the record says []")]
    with pytest.raises(CommandError, match="1 differences"):
        call_command("verify_ledger")


def test_erasure_takes_tags_and_record_along_and_leaves_the_tag(
    step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(Status.CLOSED, step, agent)
    tag = TagFactory(website=step.rule.website, name="Refund")
    tagging.add(conversation.pk, [tag.pk], actor=BOT, at=NOW)
    subject = personal_data.of_visitor(conversation.visitor)
    copied = personal_data.export(subject)["tables"]
    assert copied["conversations.reasonevent"][0]["after"] == "Refund"
    assert copied["conversations.conversationtag"][0]["tag_id"] == tag.pk
    personal_data.erase(subject, by=None, at=NOW)
    assert not ConversationTag.objects.exists()
    assert not ReasonEvent.objects.exists()
    assert Tag.objects.get() == tag


@pytest.mark.django_db(transaction=True)
def test_tags_added_while_two_are_merged_all_end_on_the_one_that_remains(step: RuleStep) -> None:
    website = step.rule.website
    source, target = TagFactory(website=website), TagFactory(website=website)
    numbers = [queued(step).pk for _n in range(6)]
    barrier = threading.Barrier(len(numbers) + 1)
    results: list[Any] = []

    def act(number: int | None) -> None:
        try:
            barrier.wait()
            if number is None:
                catalogue.merge(source, into=target, actor=SYSTEM, at=NOW)
            else:
                tagging.add(number, [source.pk], actor=BOT, at=NOW)
                results.append(number)
        except Rejected:
            pass  # The merge was first: the tag is archived.
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=[number]) for number in [None, *numbers]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    marks = ConversationTag.objects.values_list("conversation", "tag")
    assert sorted(marks) == sorted((number, target.pk) for number in results)
    assert list(record.differences(Conversation.objects.all())) == []
