"""Outbox entries due at an upgrade are run by the modules of the new version."""

from __future__ import annotations

from importlib import import_module

import pytest

from core.events import outbox
from core.models import OutboxEntry

moved = import_module("core.migrations.0002_reaction_names")


@pytest.mark.django_db
def test_entries_of_the_former_version_get_new_reaction_names() -> None:
    names = [
        (old + name.removeprefix(new), name)
        for name in outbox._reactions
        for old, new in moved.MOVED.items()
        if name.startswith(new)
    ]
    assert {name.rsplit(".", 1)[0] + "." for _, name in names} == set(moved.MOVED.values())
    for former, _ in names:
        OutboxEntry.objects.create(reaction=former, payload={})
    entry = OutboxEntry.objects.create(reaction="routing.dispatch.drain_agent", payload={})
    moved.rename(OutboxEntry.objects, moved.MOVED)
    stored = OutboxEntry.objects.exclude(pk=entry.pk).values_list("reaction", flat=True)
    assert sorted(stored) == sorted(name for _, name in names)
    entry.refresh_from_db()
    assert entry.reaction == "routing.dispatch.drain_agent"
