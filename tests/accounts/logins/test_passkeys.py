"""Passkeys: made, used alone and as a second step, and every forged answer refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from pytest_django import Settings

from accounts.models import Role, User
from core.rates import counters
from core.rates.windows import parse
from tests.accounts.logins.authenticators import PRESENT, VERIFIED, Device
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def https(settings: Settings) -> None:
    """As in production: only pages of this very host, by HTTPS."""
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False


@pytest.fixture
def alice() -> User:
    user: User = UserFactory(username="alice", email="alice@example.com")
    return user


@pytest.fixture
def device(alice: User) -> Device:
    """A device with a passkey of Alice."""
    device = Device()
    client = with_password("alice")
    options = client.get("/account/passkey/").context["js_data"]["creation_options"]
    answer = client.post(
        "/account/passkey/", {"name": "Phone", "credential": device.create(options)}
    )
    assert answer["Location"] == "/account/codes/"
    return device


def with_password(name: str) -> Client:
    client = Client()
    client.post("/login/", {"username": name, "password": PASSWORD})
    return client


def challenge(client: Client) -> Any:
    answer = client.get("/login/passkey/", headers=JSON)
    return answer.json()["request_options"]


def enter(client: Client, credential: str, **more: str) -> Any:
    return client.post("/login/passkey/", {"credential": credential, **more})


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_a_passkey_is_a_discoverable_key_of_a_verified_person(alice: User) -> None:
    client = with_password("alice")
    page = client.get("/account/passkey/")
    options = page.context["js_data"]["creation_options"]["publicKey"]
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert options["rp"] == {"id": "testserver", "name": "Causerie"}
    device = Device()
    unverified = device.create(page.context["js_data"]["creation_options"], flags=PRESENT)
    refused = client.post("/account/passkey/", {"name": "", "credential": unverified})
    assert "does not match" in refused.content.decode()
    assert not Authenticator.objects.filter(user=alice).exists()


def test_a_passkey_alone_logs_in(device: Device) -> None:
    client = Client()
    answer = enter(client, device.get(challenge(client)), next="/desk/snoozed/")
    assert answer["Location"] == "/desk/snoozed/"
    assert is_in(client)
    assert client.get("/account/password/").status_code == 302  # asked again, by the passkey


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_a_passkey_leads_to_no_other_site(device: Device, to: str) -> None:
    client = Client()
    assert enter(client, device.get(challenge(client)), next=to)["Location"] == "/"


def test_after_a_password_the_passkey_is_the_second_step(device: Device) -> None:
    client = with_password("alice")
    assert not is_in(client)
    page = client.get("/login/step/")
    options = page.context["js_data"]["request_options"]
    assert client.post("/login/step/", {"credential": device.get(options)}).status_code == 302
    assert is_in(client)


def test_a_passkey_is_asked_again_before_something_important(device: Device) -> None:
    client = Client()
    enter(client, device.get(challenge(client)))
    location = client.get("/account/email/")["Location"]
    assert location == "/account/prove/passkey/?next=%2Faccount%2Femail%2F"
    options = client.get(location).context["js_data"]["request_options"]
    assert (
        client.post(location, {"credential": device.get(options)})["Location"] == "/account/email/"
    )
    assert client.get("/account/email/").status_code == 200


def forged(device: Device, options: Any, kind: str, mallory: User) -> str:
    match kind:
        case "other key":
            return device.get(options, signer=ec.generate_private_key(ec.SECP256R1()))
        case "other origin":
            return device.get(options, origin="https://testserver.evil.example")
        case "plain http":
            return device.get(options, origin="http://testserver")
        case "other host":
            return Device("evil.example", device.key, device.name, device.user).get(
                options, origin="https://testserver"
            )
        case "old challenge":
            return device.get(options, challenge="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        case "unverified person":
            return device.get(options, flags=PRESENT)
        case "absent person":
            return device.get(options, flags=VERIFIED)
        case "other user":
            return device.get(options, user=str(mallory.pk).encode())
        case "no user":
            return device.get(options, user=b"")
        case "odd user":
            return device.get(options, user=b"zzzzzzzzzzzzzzzzzzzzzzzzzzzz")
        case "creation":
            return device.create({"publicKey": {"user": {"id": "MQ"}, **options["publicKey"]}})
    raise AssertionError(kind)


KINDS = [
    "other key",
    "other origin",
    "plain http",
    "other host",
    "old challenge",
    "unverified person",
    "absent person",
    "other user",
    "no user",
    "odd user",
    "creation",
]


@pytest.mark.parametrize("kind", KINDS)
def test_forged_answers_log_nobody_in(device: Device, kind: str) -> None:
    mallory = UserFactory(username="mallory", role=Role.ADMIN)
    client = Client()
    answer = enter(client, forged(device, challenge(client), kind, mallory))
    assert answer["Location"] == "/login/"
    assert not is_in(client)
    assert "does not match" in client.get("/login/").content.decode()


def test_an_answer_is_used_once(device: Device) -> None:
    client = Client()
    credential = device.get(challenge(client))
    enter(client, credential)
    client.post("/logout/")
    assert enter(client, credential)["Location"] == "/login/"
    assert not is_in(client)
    assert enter(Client(), credential)["Location"] == "/login/"


ODD = [
    "",
    "null",
    "[]",
    "{}",
    '"x"',
    "{" * 3000,
    json.dumps({"id": 1, "rawId": None, "response": [], "type": {}}),
    json.dumps({"id": "a", "rawId": "a", "type": "public-key", "response": {}}),
    json.dumps(
        {
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {"clientDataJSON": "AA", "authenticatorData": "AA", "signature": "!"},
        }
    ),
]


@pytest.mark.parametrize("credential", ODD)
@pytest.mark.parametrize("path", ["/login/passkey/", "/login/step/", "/account/passkey/"])
def test_odd_answers_are_wrong_answers(device: Device, path: str, credential: str) -> None:
    client = Client()
    if path == "/account/passkey/":
        client = with_password("alice")
        options = client.get("/login/step/").context["js_data"]["request_options"]
        client.post("/login/step/", {"credential": device.get(options)})
    elif path == "/login/step/":
        client = with_password("alice")
    else:
        challenge(client)
    before = Authenticator.objects.count()
    answer = client.post(path, {"credential": credential})
    assert answer.status_code in {200, 302}
    assert Authenticator.objects.count() == before
    if path != "/account/passkey/":
        assert not is_in(client)


def test_a_passkey_of_a_deactivated_account_shows_a_message(device: Device, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    client = Client()
    assert enter(client, device.get(challenge(client)))["Location"] == "/login/"
    assert "not active" in client.get("/login/").content.decode()
    assert not is_in(client)


def test_challenges_are_limited_by_address(settings: Settings) -> None:
    settings.RATE_LIMITS = {"passkeys": parse("address 2/minute")}
    counters.forget_connections()
    client = Client()
    office = {"REMOTE_ADDR": "192.0.2.1"}
    answers = [client.get("/login/passkey/", headers=JSON, **office) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 302]
    assert int(answers[2]["Retry-After"]) > 0


def test_an_unfinished_login_is_stored_for_minutes() -> None:
    client = Client()
    challenge(client)
    assert client.session.get_expiry_age() <= 600
