"""Pages of staff are in no cache; what is the same for everybody may be."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Role
from tests.factories import UserFactory
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        *("/desk/", "/desk/replies/", "/reports/production/", "/admin/", "/admin/accounts/user/"),
        *("/api/v1/conversations/", "/login/", "/nothing/here/"),
    ],
)
def test_staff_pages_are_not_cached(path: str) -> None:
    client = Client()
    log_in_freshly(client, UserFactory(role=Role.ADMIN))
    cache_control = client.get(path, follow=True)["Cache-Control"]
    assert "no-store" in cache_control


def test_public_files_may_be_cached() -> None:
    assert Client().get("/embed.js")["Cache-Control"] == "public, max-age=300"
