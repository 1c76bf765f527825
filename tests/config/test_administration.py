"""The settings are in the reader's language, down to the rows of the record of changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.test import Client
from django.utils import translation

from accounts.models import Role
from config.version import version
from tests.factories import GroupFactory, UserFactory
from tests.logins import log_in_freshly


def shown() -> Iterator[tuple[type[models.Model], str]]:
    """Yield every column and field that the administration shows."""
    for model, of_model in admin.site._registry.items():
        names = [*of_model.list_display, *flatten_fieldsets(of_model.fieldsets or ())]
        yield from ((model, str(name)) for name in [*names, *(of_model.fields or ())])
        for inline in of_model.inlines:
            yield from ((inline.model, str(name)) for name in inline.fields or ())


def test_every_field_has_a_name_that_can_be_translated() -> None:
    unnamed = set()
    for model, name in shown():
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            continue  # a method, which has its own description
        if name != "id" and getattr(field, "_verbose_name", None) is None:
            unnamed.add(f"{model._meta.label}.{name}")
    assert unnamed == set()


@pytest.fixture
def administrator() -> Iterator[Client]:
    client = Client(headers={"accept-language": "fr"})
    log_in_freshly(client, UserFactory(role=Role.ADMIN, is_superuser=True, is_staff=True))
    with translation.override("fr"):  # a request's language would remain active afterwards
        yield client


@pytest.mark.django_db
def test_add_pages_are_translated(administrator: Client) -> None:
    page = administrator.get("/admin/accounts/user/add/").content.decode()
    assert "<h1>Ajouter : utilisateur" in page.replace("\u00a0", " ")
    assert "vous pourrez modifiez" not in page
    assert 'name="usable_password"' not in page  # all users log in with a password
    group = GroupFactory()
    response = administrator.get(f"/admin/accounts/group/{group.pk}/change/")
    assert "un objet" not in response.content.decode()


@pytest.mark.django_db
def test_an_account_can_be_created_and_its_password_changed(administrator: Client) -> None:
    typed = {"username": "zoe", "password1": "lamp-and-table-4711", "role": Role.AGENT}
    response = administrator.post(
        "/admin/accounts/user/add/", typed | {"password2": typed["password1"]}
    )
    assert response.status_code == 302
    path = response.headers["Location"].replace("change/", "password/")
    new = {"password1": "chair-and-door-0815", "password2": "chair-and-door-0815"}
    assert administrator.post(path, new).status_code == 302
    assert Client().login(username="zoe", password=new["password1"])


@pytest.mark.django_db
def test_a_refused_deletion_has_a_translated_title(administrator: Client) -> None:
    group = GroupFactory()
    page = administrator.get(f"/admin/accounts/group/{group.pk}/delete/").content.decode()
    assert "Impossible de supprimer groupe" not in page


@pytest.mark.django_db
def test_the_administration_shows_the_version(administrator: Client) -> None:
    assert f"Causerie {version()}" in administrator.get("/admin/").content.decode()
