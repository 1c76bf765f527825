"""Who reads which languages."""

from __future__ import annotations

import pytest

from conversations.language_models import languages


@pytest.mark.parametrize(
    ("listed", "website", "expected"),
    [
        ("fr, en", "de", ("fr", "en")),
        ("en,fr", "fr", ("en", "fr")),
        ("", "fr", ("fr",)),
        ("pt-BR, pt", "fr", ("pt",)),
    ],
)
def test_an_agent_reads_what_is_entered_or_else_the_websites_language(
    listed: str, website: str, expected: tuple[str, ...]
) -> None:
    assert languages.of_agent(listed, website) == expected


@pytest.mark.parametrize(
    ("messenger", "page", "expected"),
    [
        ("fr", "", "fr"),
        ("fr", "fr-CA", "fr"),
        ("fr", "en", "fr"),  # The Messenger has English: its reader did not get it.
        ("en", "es-MX", "es"),
        ("en", "ES_mx", "es"),
        ("en", "x-klingon", "en"),
    ],
)
def test_a_visitor_writes_the_messengers_language_or_one_of_the_page_that_it_lacks(
    messenger: str, page: str, expected: str
) -> None:
    assert languages.of_visitor(messenger, page) == expected
