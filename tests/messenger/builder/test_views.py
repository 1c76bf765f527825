"""The builder: changes are previewed before they are saved, and apply to visitors afterwards."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, Website
from messenger.builder.forms import LANGUAGES, TEXTS, BuilderForm
from messenger.builder.views import describe_contrast
from messenger.mail import addresses
from messenger.website_texts import texts_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator() -> Client:
    client = Client()
    client.force_login(UserFactory(role=Role.ADMIN))
    return client


def typed(website: Website, **changes: Any) -> dict[str, Any]:
    """Return the form's current values with changes; ``None`` is an unticked checkbox."""
    form = BuilderForm(instance=website)
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in (values | changes).items() if value not in (None, False)}


def config_of(response: Any) -> dict[str, Any]:
    match = re.search(
        r'<script id="config" type="application/json">(.*?)</script>',
        str(response.content.decode()),
    )
    assert match is not None
    config: dict[str, Any] = json.loads(match[1])
    return config


def test_saved_settings_apply_to_visitors(administrator: Client, website: Website) -> None:
    assert not website.mirroring  # R60: nobody is watched unless an administrator wants it
    changes = {
        "accent": "#112233",
        "side": "start",
        "greeting_async_fr": " Bienvenue chez {brand} ",
        "takes_files": None,
        "mirroring": "on",
        "survey_nps": None,
        "writes_mails": None,
        "jitsi_url": "meet.example.com",
    }
    path = f"/admin/builder/{website.pk}/"
    assert administrator.post(path, typed(website, **changes)).status_code == 302
    website = Website.objects.select_related("sender").get()
    assert texts_of(website, "fr")["greeting_async"] == "Bienvenue chez Maison Céleste"
    assert (website.takes_files, website.questions) == (False, ("csat", "comment"))
    assert website.mirroring
    assert website.jitsi_url == "https://meet.example.com"
    assert not addresses.is_on(website)
    config = config_of(Client().get(f"/messenger/{website.key}/?lang=fr"))
    assert (config["accent"], config["files"], config["email"]) == ("#112233", False, False)
    assert website.consent_version == 1


@pytest.mark.parametrize("field", ["consent_fr", "consent_link_en"])
def test_a_changed_consent_field_increments_the_version_once(
    administrator: Client, website: Website, field: str
) -> None:
    path, value = f"/admin/builder/{website.pk}/", "https://www.example.com/privacy"
    for _twice in range(2):
        administrator.post(path, typed(Website.objects.get(), **{field: value}))
    assert Website.objects.get().consent_version == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("consent_link_fr", "javascript:alert(1)"),
        ("accent", "red"),
        ("jitsi_url", "http://meet.example.com"),
        ("greeting_live_fr", "x" * 1001),
    ],
)
def test_invalid_input_is_shown_with_its_errors(
    administrator: Client, website: Website, field: str, value: str
) -> None:
    answer = administrator.post(f"/admin/builder/{website.pk}/", typed(website, **{field: value}))
    assert answer.status_code == 200
    assert value in answer.content.decode()
    assert "wrong-text" in answer.content.decode()
    assert Website.objects.get().texts == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_preview_shows_unsaved_changes(
    administrator: Client, website: Website, language: str
) -> None:
    sent = typed(website, accent="#445566", **{f"greeting_async_{language}": "Unsaved"})
    sent |= {"preview_language": language, "preview_scene": "survey"}
    answer = administrator.post(f"/admin/builder/{website.pk}/preview/", sent)
    config = config_of(answer)
    assert (config["language"], config["accent"]) == (language, "#445566")
    assert config["texts"]["greeting_async"] == "Unsaved"
    assert config["rehearsal"]["conversation"]["survey"] is True
    assert answer["Content-Security-Policy"].endswith("frame-ancestors 'self'")
    assert "X-Frame-Options" not in answer
    assert Website.objects.get().texts == {}


def test_texts_use_the_visitors_language_or_the_websites(website: Website) -> None:
    own = {code: {name: f"{name} {code}" for name, _label, _lines in TEXTS} for code in LANGUAGES}
    Website.objects.update(texts=own, language="fr")
    for wanted, language in (("en-GB", "en"), ("fr-CA", "fr"), ("de", "fr"), ("", "fr")):
        config = config_of(Client().get(f"/messenger/{website.key}/", {"lang": wanted}))
        assert (config["language"], config["texts"]["over"]) == (language, f"over {language}")


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AGENT])
def test_the_builder_is_limited_to_administrators(website: Website, role: Role) -> None:
    client = Client()
    client.force_login(UserFactory(role=role))
    for path in (f"/admin/builder/{website.pk}/", "/admin/builder/contrast/?colour=%23ffffff"):
        assert client.get(path).status_code in {302, 404}
    assert client.post(f"/admin/builder/{website.pk}/preview/", {}).status_code in {302, 404}


@pytest.mark.parametrize(
    ("colour", "is_enough"),
    [
        ("#2f5d50", True),
        ("#ffd400", False),
        ("#ffffff", False),
        ("#000000", False),
        ("#3d4eb8", True),
    ],
)
def test_contrast_is_checked_on_light_and_dark_pages(colour: str, is_enough: bool) -> None:
    assert describe_contrast(colour)[1] is is_enough
