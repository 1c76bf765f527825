"""Receipts come late, twice and in any order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conversations.models import OutboundStatus
from messenger.channels.receipts import is_progress

STATUSES = st.sampled_from(OutboundStatus.values)


def test_a_receipt_that_comes_late_takes_nothing_back() -> None:
    assert is_progress("sent", "delivered")
    assert is_progress("sent", "read")
    assert not is_progress("read", "delivered")
    assert not is_progress("delivered", "failed")
    assert not is_progress("sent", "typing")


@given(st.lists(STATUSES), STATUSES)
def test_the_same_receipts_again_change_nothing(receipts: list[str], start: str) -> None:
    def end(status: str) -> str:
        for receipt in receipts:
            status = receipt if is_progress(status, receipt) else status
        return status

    once = end(start)
    assert end(once) == once


@given(STATUSES, STATUSES, STATUSES)
def test_two_receipts_lead_to_the_same_end_in_either_order(one: str, two: str, start: str) -> None:
    def end(*receipts: str) -> str:
        status = start
        for receipt in receipts:
            status = receipt if is_progress(status, receipt) else status
        return status

    if "failed" not in {one, two}:
        assert end(one, two) == end(two, one)
