"""Rate limits as plain data."""

from __future__ import annotations

import limits
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rates.windows import By, Count, Refusal, Window, decide, of, parse, subject_of, wait_of

MINUTE = Window(By.VISITOR, "rate:messages:visitor:x", 10, 60)


def test_limits_are_parsed_from_text() -> None:
    parsed = parse("visitor 40/minute, address 5/15minute")
    assert parsed == {
        By.VISITOR: limits.parse("40/minute"),
        By.ADDRESS: limits.parse("5 per 15 minute"),
    }
    assert parse("off") == parse("") == {}


@pytest.mark.parametrize("text", ["visitor", "nobody 4/minute", "visitor 4/fortnight", "4/minute"])
def test_unknown_limits_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - both kinds of names have the same
        parse(text)


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_address_is_counted_by_its_network(address: str, subject: str) -> None:
    assert subject_of(address) == subject


def test_window_without_a_subject_counts_nobody() -> None:
    windows = of("messages", parse("visitor 4/minute, address 8/minute"), {By.ADDRESS: "a"})
    assert windows == [Window(By.ADDRESS, "rate:messages:address:a", 8, 60)]


def test_the_refusal_with_the_longest_wait_is_returned() -> None:
    website = Window(By.WEBSITE, "w", 10, 60)
    full = Count(0, 0, 10, 90, is_admitted=False)
    fuller = Count(0, 0, 10, 115, is_admitted=False)
    admitted = Count(0, 0, 1, 115, is_admitted=True)
    assert decide([MINUTE, website], [admitted, admitted]) is None
    assert decide([MINUTE, website], [full, admitted]) == Refusal(By.VISITOR, 31)
    assert decide([MINUTE, website], [full, fuller]) == Refusal(By.WEBSITE, 56)


@given(
    previous=st.integers(0, 10),
    ended=st.floats(0, 60),
    current=st.integers(0, 10),
    ends=st.floats(60, 120),
)
def test_a_request_is_admitted_after_the_announced_wait(
    previous: int, ended: float, current: int, ends: float
) -> None:
    """The window as the library weighs it, moved forward by the wait."""
    left = ended / 60 * previous
    if int(left) + current + 1 <= MINUTE.amount:
        return
    wait = wait_of(MINUTE, Count(previous, ended, current, ends, is_admitted=False))
    if wait < ends - 60:
        assert int(max(0, ended - wait) / 60 * previous) + current < MINUTE.amount
    else:
        over = wait - (ends - 60)
        assert int(max(0, 60 - over) / 60 * current) < MINUTE.amount
