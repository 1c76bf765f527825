"""Stored looks: only where website and consent say so, within a size, for a number of days, and who
may replay them."""

from __future__ import annotations

from datetime import timedelta
from struct import unpack_from

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Agent, Role, User, Website
from conversations import tasks
from conversations.mirroring import looks, stored_looks
from conversations.mirroring.recording import HEAD, LOOK_BYTES, PART_BYTES, Recording, unpacked
from conversations.models import (
    Consent,
    Conversation,
    LookEnd,
    LookPart,
    LookReplay,
    MirrorLook,
    Visitor,
)
from conversations.privacy import personal_data
from messenger import consents
from messenger.website_texts import consent_of, sha256_of
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import GroupFactory, UserFactory, VisitorFactory, on_desk

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def website(step: RuleStep) -> Website:
    website = step.rule.website
    website.mirrors_screen, website.looks_stored_days = True, 30
    website.save()
    return website


def agree(website: Website) -> Visitor:
    visitor = VisitorFactory(website=website)
    sha256 = sha256_of(consent_of(website, "en"))
    consents.give(visitor, consents.agreed(website, language="en", sha256=sha256, at=NOW))
    return visitor


@pytest.fixture
def look(website: Website, step: RuleStep, agent: Agent) -> MirrorLook:
    conversation = on_desk(step, agent, visitor=agree(website))
    return looks.begin(conversation.pk, agent=agent, at=NOW)


def store(look: MirrorLook, part: bytes = b"part", number: int = 1) -> bool:
    return stored_looks.store(look.pk, number, part, at=NOW)


def test_a_recording_comes_back_frame_by_frame() -> None:
    kept = Recording()
    frames = [(0, b"a picture" * 90), (250, b"\x00"), (70_000, b"")]
    assert not any(kept.add(frame, ms=ms) for ms, frame in frames)
    records, place, read = unpacked(kept.part()), 0, []
    while place < len(records):
        ms, length = unpack_from(HEAD.format, records, place)
        place += HEAD.size + length
        read.append((ms, records[place - length : place]))
    assert read == frames
    assert kept.part() == b""
    assert kept.add(b"x" * PART_BYTES, ms=0)


def test_the_consent_says_for_how_long_it_is_stored(website: Website) -> None:
    assert "What they see is stored for 30 days." in consent_of(website, "en")
    website.looks_stored_days = 1
    assert "pendant un jour" in consent_of(website, "fr")
    website.looks_stored_days = None
    assert "stored for" not in consent_of(website, "en")
    website.looks_stored_days, website.mirrors_screen = 30, False
    assert "stored for" not in consent_of(website, "en")


def test_nothing_is_stored_unless_the_website_says_so(website: Website, look: MirrorLook) -> None:
    assert store(look)
    Website.objects.update(looks_stored_days=None)
    assert not store(look, number=2)
    assert LookPart.objects.count() == 1


def test_nothing_is_stored_of_a_visitor_who_agreed_to_another_text(
    website: Website, step: RuleStep, agent: Agent
) -> None:
    Website.objects.update(looks_stored_days=None)
    website.refresh_from_db()
    conversation = on_desk(step, agent, visitor=agree(website))
    Website.objects.update(looks_stored_days=30)
    look = looks.begin(conversation.pk, agent=agent, at=NOW)  # they agreed to being looked at
    assert not store(look)
    assert not LookPart.objects.exists()


def test_a_look_is_stored_up_to_a_size(look: MirrorLook, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LOOK_BYTES == 20 * 1024 * 1024
    monkeypatch.setattr(stored_looks, "LOOK_BYTES", 10)
    assert store(look, b"12345678")
    assert not store(look, b"123", number=2)
    assert store(look, b"12", number=2)


def test_parts_go_after_the_websites_number_of_days_and_looks_stay(look: MirrorLook) -> None:
    store(look)
    assert stored_looks.forget(at=NOW + 30 * DAY) == 0
    assert stored_looks.forget(at=NOW + 30 * DAY + timedelta(seconds=1)) == 1
    assert MirrorLook.objects.filter(pk=look.pk).exists()


def test_where_nothing_is_stored_any_more_the_parts_go_at_once(look: MirrorLook) -> None:
    store(look)
    Website.objects.update(looks_stored_days=None)
    tasks.forget_traces()
    assert not LookPart.objects.exists()


def manager(conversation: Conversation, *, of_its_group: bool = True) -> User:
    user: User = UserFactory(role=Role.MANAGER)
    own = conversation.group if of_its_group else GroupFactory(website=conversation.website)
    user.managed_groups.add(own)
    return user


def test_who_oversees_the_conversation_may_replay_and_nobody_else(
    look: MirrorLook, agent: Agent
) -> None:
    store(look)
    boss = manager(look.conversation)
    assert not stored_looks.replayable(boss)  # it goes on
    looks.end(look.pk, how=LookEnd.LEFT, at=NOW)
    assert list(stored_looks.replayable(boss)) == [look]
    assert list(stored_looks.replayable(UserFactory(role=Role.ADMIN))) == [look]
    assert not stored_looks.replayable(agent.user)
    assert not stored_looks.replayable(manager(look.conversation, of_its_group=False))
    LookPart.objects.all().delete()
    assert not stored_looks.replayable(boss)


def test_each_replay_is_on_record_and_stands(look: MirrorLook) -> None:
    kept = Recording()
    kept.add(b"frame", ms=5)
    store(look, kept.part())
    boss = manager(look.conversation)
    assert b"".join(stored_looks.replay(look, by=boss, at=NOW)) == HEAD.pack(5, 5) + b"frame"
    row = LookReplay.objects.get()
    assert (row.look, row.user, row.at) == (look, boss, NOW)
    with pytest.raises(DatabaseError, match="replays are append-only"), transaction.atomic():
        LookReplay.objects.update(user=UserFactory())
    with pytest.raises(DatabaseError, match="replays are append-only"), transaction.atomic():
        LookReplay.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="never truncated"), transaction.atomic():
            cursor.execute("TRUNCATE conversations_lookreplay")


def test_erasure_takes_what_was_stored_and_the_export_leaves_the_frames_out(
    look: MirrorLook,
) -> None:
    store(look)
    LookReplay.objects.create(look=look, user=UserFactory(), at=NOW)
    visitor = look.conversation.visitor
    exported = personal_data.export(personal_data.of_visitor(visitor))["tables"]
    [part] = exported["conversations.lookpart"]
    assert part["size"] == 4
    assert "frames" not in part
    assert exported["conversations.consent"][0]["covers_stored_looks"] is True
    personal_data.forget(visitor.website, [visitor.pk])
    assert not LookPart.objects.exists()
    assert not LookReplay.objects.exists()
    assert not Consent.objects.exists()
