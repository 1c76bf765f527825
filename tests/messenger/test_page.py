"""The Messenger's page and the configuration for embed.js: languages, policies, domains."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Website
from messenger import bundle
from messenger.colours import text_on
from messenger.website_texts import DEFAULTS, language_among, texts_of
from tests.messenger.conftest import Browser

pytestmark = pytest.mark.django_db


def config_of(html: str) -> dict[str, object]:
    match = re.search(r'<script id="config" type="application/json">(.*?)</script>', html, re.S)
    assert match is not None
    parsed: dict[str, object] = json.loads(match[1])
    return parsed


def test_only_the_websites_domains_may_frame_the_page(browser: Browser) -> None:
    response = browser.get()
    policy = dict(
        directive.split(" ", 1) for directive in response["Content-Security-Policy"].split("; ")
    )
    assert set(policy["frame-ancestors"].split()) == {
        "'self'",
        "http://www.example.com:*",
        "https://www.example.com:*",
        "http://*.shop.example.com:*",
        "https://*.shop.example.com:*",
        "http://localhost:8000",
        "https://localhost:8000",
    }
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert "X-Frame-Options" not in response
    assert response["Cache-Control"] == "no-store"


def test_policy_names_no_insecure_source_over_https(browser: Browser, settings: Settings) -> None:
    settings.HTTPS = True
    policy = browser.get()["Content-Security-Policy"]
    assert "https://www.example.com:*" in policy
    assert "wss://testserver" in policy
    assert not re.search(r"\b(?:http|ws):", policy)


def test_the_page_has_no_inline_script_or_style(browser: Browser) -> None:
    html = browser.get().content.decode()
    assert re.findall(r"<script(?![^>]*(?:\ssrc=|application/json))", html) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", html) == []


@pytest.mark.parametrize(
    ("asked", "spoken"), [("fr", "fr"), ("en-GB", "en"), ("de", "fr"), ("", "fr")]
)
def test_the_page_uses_the_requested_language_or_the_websites(
    browser: Browser, asked: str, spoken: str
) -> None:
    html = browser.get(f"?lang={asked}").content.decode()
    config = config_of(html)
    assert f'<html lang="{spoken}">' in html
    assert config["language"] == spoken
    assert config["texts"]["greeting_async"] == DEFAULTS[spoken]["greeting_async"]  # type: ignore[index]


def test_a_websites_own_text_overrides_the_default_and_is_not_a_template(website: Website) -> None:
    website.texts = {"fr": {"consent": "{brand} <b>{{ x }}</b> %s", "greeting_live": ""}}
    texts = texts_of(website, "fr")
    assert texts["consent"] == "Maison Céleste <b>{{ x }}</b> %s"
    assert texts["greeting_live"] == DEFAULTS["fr"]["greeting_live"]


def test_a_brand_name_with_markup_is_escaped(website: Website, browser: Browser) -> None:
    website.name = "</script><script>alert(1)</script>"
    website.save()
    assert "<script>alert(1)" not in browser.get().content.decode()


def test_both_languages_have_the_same_texts() -> None:
    assert DEFAULTS["fr"].keys() == DEFAULTS["en"].keys()


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("fr-FR,en;q=0.8", "fr"), ("de, en;q=0.5", "en"), ("*", "fr"), (";;,", "fr")],
)
def test_the_first_supported_language_is_chosen(wanted: str, language: str) -> None:
    assert language_among(wanted, "fr") == language


@pytest.mark.parametrize(
    ("colour", "text"),
    [("#2f5d50", "#ffffff"), ("#ffffff", "#000000"), ("#f4c430", "#000000")],
)
def test_text_contrasts_with_its_background(colour: str, text: str) -> None:
    assert text_on(colour) == text


@pytest.mark.parametrize("path", ["", "state/"])
def test_an_unknown_key_is_a_404(client: Client, path: str) -> None:
    response = client.get(f"/messenger/nobody/{path}", headers={"Accept-Language": "en"})
    assert response.status_code == 404
    assert response.json() == {
        "error": {"code": "unknown_website", "message": "No website has this key."}
    }


def test_the_embed_script_is_small_public_and_cached(client: Client) -> None:
    response = client.get("/embed.js", headers={"Accept-Encoding": "gzip"})
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) <= 5 * 1024
    again = client.get("/embed.js", headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_the_page_loads_one_script_and_one_stylesheet_cached_by_version(
    client: Client, browser: Browser
) -> None:
    html = browser.get().content.decode()
    assets = re.findall(r'"(/messenger\.(?:js|css)\?v=[^"]+)"', html)
    assert len(assets) == 2
    for address in assets:
        now = client.get(address)
        assert (now.status_code, now["Cache-Control"]) == (200, "public, max-age=31536000")
        other = client.get(address.split("?")[0] + "?v=of-yesterday")
        assert other["Cache-Control"] == "public, max-age=0"
    whole = bundle.page_script(bundle.tag()).plain.decode()
    assert re.findall(r"^(?:import|export)\b", whole, re.MULTILINE) == []
