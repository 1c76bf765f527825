"""The first administrator of a new installation, created in the browser by a link that the server
prints.

The link is signed and stored nowhere. It works while there is no account of a person, so at most
once, and for an hour.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db import connection, transaction
from django.urls import reverse

from accounts.models import Role, User

SALT = "causerie.first_administrator"
VALIDITY = timedelta(hours=1)
LOCK = 7_301_846_213
"""Any number that no other advisory lock uses."""


def is_missing() -> bool:
    """Return whether nobody can have an account yet. Programs do not count."""
    return not User.objects.filter(is_service=False).exists()


def link() -> str:
    """Return a new link to create the first administrator."""
    token = signing.dumps("first administrator", salt=SALT)
    return f"{settings.PUBLIC_URL}{reverse('first_administrator', args=[token])}"


def opens(token: str) -> bool:
    """Return whether a link with this token works at present."""
    try:
        signing.loads(token, salt=SALT, max_age=VALIDITY)
    except signing.BadSignature:
        return False
    return is_missing()


@transaction.atomic
def create(user: User) -> bool:
    """Save the user as the first administrator. Return whether they are the first: of two browsers
    with the link, one comes too late."""
    with connection.cursor() as cursor:
        # Plain SQL: there is no row to lock yet.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if not is_missing():
        return False
    user.role = Role.ADMIN
    user.save()
    return True
