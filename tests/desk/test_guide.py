"""The guide for agents: both languages have the same sections, and all links and pictures exist."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import translation

from accounts.models import User
from desk.guide import FOLDER, Guide, guide_in
from tests.factories import AgentFactory

Browser = Callable[[User], Client]
LANGUAGES = ("en", "fr")
LIMIT_BYTES = 80_000
SHAPE = re.compile(r"<(h[123]|img|table|ul)\b")


def shape(guide: Guide) -> list[str]:
    return SHAPE.findall(guide.html)


def test_both_languages_have_the_same_sections_and_pictures() -> None:
    english, french = (guide_in(language) for language in LANGUAGES)
    assert len(english.sections) == len(french.sections) >= 8
    assert shape(english) == shape(french)
    pictures = [re.findall(r"/guide/\w\w/([\w-]+)\.webp", one.html) for one in (english, french)]
    assert pictures[0] == pictures[1]
    assert english.title != french.title


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_image_exists_and_is_small_with_alt_text(language: str) -> None:
    html = guide_in(language).html
    pictures = re.findall(r'<img src="/static/(guide/[^"]+)" alt="([^"]+)"', html)
    assert len(pictures) == html.count("<img") == 8
    for name, _alt in pictures:
        assert name.startswith(f"guide/{language}/")
        path = finders.find(name)
        assert path
        assert 0 < (FOLDER / "images" / name.removeprefix("guide/")).stat().st_size < LIMIT_BYTES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_has_a_target(language: str) -> None:
    html = guide_in(language).html
    anchors = set(re.findall(r' id="([^"]+)"', html))
    for link in re.findall(r'href="([^"]+)"', html):
        assert link.removeprefix("#") in anchors, link


def test_guide_uses_the_labels_of_the_desk() -> None:
    """A guide that uses other names than the desk trains nobody."""
    for language in LANGUAGES:
        text = guide_in(language).html.lower()
        with translation.override(language):
            for name in ("Snoozed", "Resume now", "Kept by me", "Transfer", "Block", "Search"):
                context = translation.gettext(name)
                assert context.lower() in text, (language, name, context)


@pytest.mark.django_db
def test_guide_is_in_the_menu_and_needs_a_login(browser: Browser) -> None:
    client = browser(AgentFactory().user)
    assert 'href="/guide/"' in client.get("/desk/", headers={"HX-Request": ""}).content.decode()
    shown = client.get("/guide/", headers={"Accept-Language": "fr", "HX-Request": ""})
    assert "Mettre en pause" in shown.content.decode()
    assert Client().get("/guide/").status_code == 302
