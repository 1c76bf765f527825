"""Mirroring belongs to the consent: the text names it, and visitors are asked again (R60)."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from accounts.models import Website
from conversations.models import Consent, Visitor
from messenger import consents
from messenger.website_texts import MIRRORING, consent_of, sha256_of, texts_of

pytestmark = pytest.mark.django_db


def mirrored(website: Website) -> Website:
    website.mirrors_screen = True
    website.save()
    return website


def agree(browser: Any, website: Website) -> Visitor:
    told = {"language": "en", "consent": sha256_of(consent_of(website, "en"))}
    answer = browser.post("visitors/", told).json()
    return Visitor.objects.get(public_id=answer["visitor"])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_text_names_mirroring_where_it_is_on(website: Website, language: str) -> None:
    assert MIRRORING[language] not in consent_of(website, language)
    website.texts = {language: {"consent": "The words of {brand}."}}
    mirrored(website)
    own = f"The words of Maison Céleste.\n\n{MIRRORING[language]}"
    assert texts_of(website, language)["consent"] == own


def test_visitors_are_asked_again_when_it_is_switched_on(website: Website, browser: Any) -> None:
    visitor = agree(browser, website)
    assert not Consent.objects.get().covers_mirroring
    assert consents.standing(visitor, website) == consents.IN_FORCE
    mirrored(website)
    assert consents.standing(visitor, website) == consents.OUTDATED


def test_a_consent_to_the_text_that_names_it_covers_it(website: Website, browser: Any) -> None:
    visitor = agree(browser, mirrored(website))
    assert Consent.objects.get(visitor=visitor).covers_mirroring


def config_of(browser: Any) -> dict[str, Any]:
    page = browser.get("?lang=en").content.decode()
    start = page.index(">", page.index('id="config"')) + 1
    config: dict[str, Any] = json.loads(page[start : page.index("</script>", start)])
    return config


def test_the_iframe_knows_what_the_website_hides(website: Website, browser: Any) -> None:
    assert config_of(browser)["mirror"] is None
    website.mirror_hides = ".invoice\n#address"
    mirrored(website)
    mirror = config_of(browser)["mirror"]
    assert mirror["hides"] == [".invoice", "#address"]
    assert mirror["showsInputs"] is False
    assert mirror["labels"]["one"] == "{names} can see this page"


def test_the_recorder_is_a_script_for_pages_of_other_origins(browser: Any) -> None:
    response = browser.client.get("/mirror.js", headers={"Accept-Encoding": "gzip"})
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Content-Type"].startswith("text/javascript")
    text = gzip.decompress(response.content).decode()
    assert "takeFullSnapshot" in text
    assert len(response.content) <= 34 * 1024
    again = browser.client.get("/mirror.js", headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304
