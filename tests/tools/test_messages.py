"""The translations are complete."""

from __future__ import annotations

from tools import messages


def test_every_text_is_translated() -> None:
    used = messages.messages()
    assert len(used) > 100
    assert [fault for file in messages.files() for fault in messages.faults(file, used)] == []
