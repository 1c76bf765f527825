"""The link for setting a password: used once, in time, and recorded as the user's own change."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as installation
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import invitations
from accounts.models import Change, User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
NEW = {"new_password1": "a-fine-password-7", "new_password2": "a-fine-password-7"}


@pytest.fixture
def person() -> User:
    user: User = UserFactory(email="alice@example.com", first_name="Alice")
    user.password = make_password(None)
    user.save()
    return user


def open_link(client: Client, path: str) -> Any:
    return client.get(path, follow=True)


def test_the_link_sets_a_password_and_logs_in(person: User) -> None:
    client = Client()
    page = open_link(client, invitations.path_for(person))
    assert person.username in page.content.decode()
    address = page.redirect_chain[-1][0]
    assert "set-password" in address  # the address no longer contains the token
    answer = client.post(address, NEW)
    assert answer.status_code == 302
    person.refresh_from_db()
    assert person.check_password(NEW["new_password1"])
    assert int(client.session["_auth_user_id"]) == person.pk
    change = Change.objects.filter(model="accounts.user", object_id=person.pk).first()
    assert change is not None
    assert (change.actor_id, change.after) == (person.pk, {"password": "•••"})


def test_the_link_works_once(person: User) -> None:
    path = invitations.path_for(person)
    client = Client()
    client.post(open_link(client, path).redirect_chain[-1][0], NEW)
    page = open_link(Client(), path)
    assert "This link no longer works" in page.content.decode()


def test_the_link_expires(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    path = invitations.path_for(person)
    later = timezone.now().replace(tzinfo=None) + timedelta(
        seconds=installation.PASSWORD_RESET_TIMEOUT + 86400
    )
    monkeypatch.setattr(
        "django.contrib.auth.tokens.PasswordResetTokenGenerator._now", lambda _self: later
    )
    assert "no longer works" in open_link(Client(), path).content.decode()


def test_a_token_of_another_user_is_refused(person: User) -> None:
    other = UserFactory()
    token = invitations.path_for(person).rstrip("/").rpartition("/")[2]
    forged = invitations.path_for(other).rstrip("/").rpartition("/")[0] + f"/{token}/"
    assert "no longer works" in open_link(Client(), forged).content.decode()


def test_a_weak_password_is_refused_with_a_message(person: User) -> None:
    client = Client()
    address = open_link(client, invitations.path_for(person)).redirect_chain[-1][0]
    answer = client.post(address, {"new_password1": "alice", "new_password2": "alice"})
    assert answer.status_code == 200
    assert "too short" in answer.content.decode()
    person.refresh_from_db()
    assert not person.has_usable_password()


def test_no_file_contains_a_link(person: User, settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "messenger.mail.file_backend.Backend"
    settings.MAIL_FOLDER = tmp_path
    invitations.send_invitation(user_id=person.pk)
    assert list(tmp_path.iterdir()) == []


def test_the_mail_contains_a_working_link(person: User, settings: Any) -> None:
    settings.HAS_MAIL_SERVER = True
    invitations.send_invitation(user_id=person.pk)
    (sent,) = mail.outbox
    assert sent.to == ["alice@example.com"]
    link = next(word for word in sent.body.split() if word.startswith(installation.PUBLIC_URL))
    page = open_link(Client(), link.removeprefix(installation.PUBLIC_URL))
    assert "Choose a password" in page.content.decode()


def test_inactive_and_unreachable_users_get_no_mail(person: User, settings: Any) -> None:
    settings.HAS_MAIL_SERVER = True
    person.is_active = False
    person.save()
    invitations.send_invitation(user_id=person.pk)
    invitations.send_invitation(user_id=UserFactory(email="").pk)
    invitations.send_invitation(user_id=0)
    assert mail.outbox == []
