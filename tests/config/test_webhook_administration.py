"""Webhooks in the administration and over the API: made, watched, sent again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Change, Role, Website
from conversations.models import Webhook, WebhookDelivery, WebhookProgress
from conversations.webhooks import verbs
from tests.api_clients import post, with_token
from tests.factories import UserFactory, WebsiteFactory
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db

PRIVATE = "This address cannot be called. Use a public server on the standard port."


@pytest.fixture
def website(settings: Any) -> Website:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    return WebsiteFactory(key="celeste")


@pytest.fixture
def admin(client: Client) -> Client:
    user = UserFactory(role=Role.ADMIN, is_staff=True, is_superuser=True, language="en")
    log_in_freshly(client, user)
    return client


def form(website: Website, **more: Any) -> dict[str, Any]:
    owner = UserFactory(role=Role.MANAGER)
    return {
        **{"website": website.pk, "name": "CRM", "url": "https://crm.example.com/hook"},
        **{"format": "standard", "events": ["message.created"], "owner": owner.pk},
        **{"is_enabled": "on", **more},
    }


def create_webhook(website: Website, **more: Any) -> Webhook:
    given = {"name": "CRM", "url": "https://crm.example.com/", "events": ["queue.full"], **more}
    webhook = Webhook(website=website, **given)
    verbs.create(webhook, at=timezone.now())
    return webhook


def run(admin: Client, action: str, row: Any) -> Any:
    url = reverse(f"admin:conversations_{row._meta.model_name}_changelist")
    return admin.post(url, {"action": action, "_selected_action": [row.pk]}, follow=True)


def test_a_webhook_is_made_with_a_secret_that_its_page_shows(
    admin: Client, website: Website
) -> None:
    admin.post(reverse("admin:conversations_webhook_add"), form(website))
    webhook = Webhook.objects.get()
    assert WebhookProgress.objects.get().webhook == webhook
    page = admin.get(reverse("admin:conversations_webhook_change", args=[webhook.pk]))
    assert webhook.secret.reveal() in page.content.decode()
    change = Change.objects.get(model="conversations.webhook")
    assert change.after["secret"] == "•••"


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"url": "http://127.0.0.1/"}, "url", PRIVATE),
        ({"url": "https://1.1.1.1:22/"}, "url", PRIVATE),
        ({"format": "slack"}, "events", "Slack and Teams receive alerts only."),
        ({"events": []}, "events", "This field is required."),
        (
            {"replay_since_0": "2999-01-01", "replay_since_1": "10:00"},
            "replay_since",
            "Choose a moment in the past.",
        ),
    ],
)
def test_what_cannot_work_is_refused(
    admin: Client,
    website: Website,
    settings: Any,
    wrong: dict[str, Any],
    field: str,
    sentence: str,
) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = False
    given = form(website, url="https://1.1.1.1/") | wrong
    page = admin.post(reverse("admin:conversations_webhook_add"), given)
    assert sentence in page.context["adminform"].form.errors[field][0]
    assert not Webhook.objects.exists()


def test_the_actions_rotate_test_and_resume(admin: Client, website: Website) -> None:
    webhook = create_webhook(website)
    secret = webhook.secret.reveal()
    WebhookProgress.objects.update(paused_at=timezone.now(), pause_reason="failed")
    listed = admin.get(reverse("admin:conversations_webhook_changelist")).content.decode()
    assert "Paused: No delivery succeeded for three days." in listed
    for action in ("rotate", "test", "resume"):
        run(admin, action, webhook)
    webhook.refresh_from_db()
    assert webhook.previous_secret.reveal() == secret != webhook.secret.reveal()
    assert WebhookProgress.objects.get().paused_at is None
    assert WebhookDelivery.objects.get().kind == "test"


def test_the_log_shows_what_was_sent_and_answered_and_sends_again(
    admin: Client, website: Website
) -> None:
    delivery = verbs.test(create_webhook(website), at=timezone.now())
    run(admin, "send_again", delivery)
    assert WebhookDelivery.objects.count() == 1  # it is still to be sent
    now = timezone.now()
    WebhookDelivery.objects.update(
        delivered_at=now, tried_at=now, status=200, answer="<thanks>", duration_ms=12, attempts=1
    )
    url = reverse("admin:conversations_webhookdelivery_change", args=[delivery.pk])
    page = admin.get(url).content.decode()
    for shown in ("&lt;thanks&gt;", "12 ms", "&quot;type&quot;: &quot;test&quot;", "Delivered"):
        assert shown in page
    run(admin, "send_again", delivery)
    again = WebhookDelivery.objects.get(is_repeat=True)
    assert again.alert_key == delivery.alert_key


def test_webhooks_can_be_managed_over_the_api(website: Website) -> None:
    client = with_token(UserFactory(role=Role.ADMIN, username="boss"))
    body = {"website": "celeste", "name": "CRM", "url": "https://crm.example.com/"}
    answer = post(client, "/api/v1/webhooks/", body | {"events": ["message.created"]})
    assert answer.status_code == 201, answer.json()
    webhook = Webhook.objects.get()
    assert answer.json()["secret"] == webhook.secret.reveal()
    assert Change.objects.get(model="conversations.webhook").actor == "boss"
    path = f"/api/v1/webhooks/{webhook.pk}/"
    read = client.get(path)
    assert "secret" not in read.json()
    assert post(client, f"{path}rotate/").json()["secret"] != answer.json()["secret"]
    assert post(client, f"{path}replay/", {"since": "2026-01-01T00:00:00Z"}).status_code == 202
    assert post(client, f"{path}resume/").status_code == 200
    delivery = post(client, f"{path}test/").json()
    assert delivery["payload"]["type"] == "test"
    again = f"{path}deliveries/{delivery['id']}/send-again/"
    assert post(client, again).status_code == 404
    WebhookDelivery.objects.update(parked_at=timezone.now())
    assert post(client, again).json()["webhook_id"] == delivery["webhook_id"]
    parked = client.get(f"{path}deliveries/?state=parked").json()["results"]
    assert [one["id"] for one in parked] == [delivery["id"]]
    assert client.delete(path).status_code == 204


def test_a_session_changes_webhooks_only_with_a_fresh_proof(website: Website) -> None:
    boss = UserFactory(role=Role.ADMIN)
    stale, fresh = Client(), Client()
    stale.force_login(boss)
    log_in_freshly(fresh, boss)
    made = create_webhook(website)
    path, before = f"/api/v1/webhooks/{made.pk}/", made.secret.reveal()
    body = {"website": "celeste", "name": "CRM", "url": "https://crm.example.com/"}
    body["events"] = ["message.created"]  # type: ignore[assignment]
    assert stale.get(path).status_code == 200
    assert post(stale, "/api/v1/webhooks/", body).status_code == 403
    change = {"url": "https://elsewhere.example.com/"}
    assert stale.patch(path, change, content_type="application/json").status_code == 403
    for verb in ("rotate", "resume", "test", "replay"):
        since = {"since": "2026-01-01T00:00:00Z"}
        assert post(stale, f"{path}{verb}/", since).status_code == 403, verb
    assert stale.delete(path).status_code == 403
    made.refresh_from_db()
    assert made.secret.reveal() == before
    assert fresh.patch(path, change, content_type="application/json").status_code == 200
    assert post(fresh, f"{path}rotate/").status_code == 200


def test_an_edit_of_what_somebody_has_changed_is_refused(website: Website) -> None:
    client = with_token(UserFactory(role=Role.ADMIN))
    path = f"/api/v1/webhooks/{create_webhook(website).pk}/"
    etag = client.get(path)["ETag"]

    def patch(name: str, match: str) -> Any:
        headers = {"If-Match": match}
        kind = "application/json"
        return client.patch(path, {"name": name}, content_type=kind, headers=headers)

    changed = patch("One", etag)
    assert (changed.status_code, changed.json()["name"]) == (200, "One")
    assert changed["ETag"] != etag
    refused = patch("Two", etag)
    assert (refused.status_code, refused.json()["code"]) == (412, "changed")
    assert client.delete(path, headers={"If-Match": etag}).status_code == 412
    assert patch("Three", changed["ETag"]).status_code == 200
    assert Webhook.objects.get().name == "Three"
