"""Addresses of pages are shown by their paths, and in full in a tooltip."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Agent, User
from desk.addresses import short
from routing.models import RuleStep
from tests.factories import on_desk

OWN = ["shop.example", "127.0.0.1"]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://shop.example/lamps/brume?utm_source=x#top", "/lamps/brume"),
        ("https://www.shop.example/lamps/", "/lamps"),
        ("https://shop.example/", "shop.example"),
        ("https://shop.example?gclid=abc", "shop.example"),
        ("http://127.0.0.1:8000/demo/", "/demo"),
        ("https://www.google.com/search?q=lamp", "google.com/search"),
        ("https://shop.example/%C3%A9t%C3%A9/na%C3%AFve", "/été/naïve"),
        ("https://shop.example/100%25", "/100%"),
        ("https://shop.example/%ff", "/%ff"),
        ("https://shop.example/%e2%80%aegnp.exe", "/%e2%80%aegnp.exe"),  # right to left
        ("https://shop.example/a%0Ab", "/a%0Ab"),
        (
            "https://shop.example/boutique/luminaires/lampes/lampe-brume-en-laiton-brosse",
            "/boutique/…/lampe-brume-en-laiton-brosse",
        ),
        (
            "https://elsewhere.example/a/b/c/d/a-page-with-a-long-name",
            "elsewhere.example/…/a-page-with-a-long-name",
        ),
        (f"https://shop.example/{'x' * 90}", "/" + "x" * 90),  # the page truncates what is too long
        ("https://[half", "https://[half"),
        ("not an address", "not an address"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("", ""),
    ],
)
def test_address_is_shortened(address: str, shown: str) -> None:
    assert short(address, OWN) == shown


@given(st.text(max_size=60))
def test_shortening_never_fails(text: str) -> None:
    assert isinstance(short(text, OWN), str)
    assert isinstance(short(f"https://shop.example/{text}", OWN), str)


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
def test_full_address_is_in_link_and_tooltip(
    browser: Callable[[User], Client], step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    conversation.page_url = "http://localhost/lamps/brume?colour=brass"
    conversation.save()
    shown = browser(agent.user).get(f"/desk/c/{conversation.pk}/toolbar/").content.decode()
    whole = "http://localhost/lamps/brume?colour=brass"
    assert f'href="{whole}"' in shown
    assert f'title="{whole}">/<wbr>lamps/<wbr>brume</a>' in shown
