"""Logins that count as a fresh proof of who one is, as a login by password does."""

from __future__ import annotations

import time

from django.test import Client

from accounts.models import User


def log_in_freshly(client: Client, user: User) -> Client:
    """Log the user in without the cost of a password; return the client."""
    client.force_login(user)
    session = client.session
    record = {"method": "password", "at": time.time(), "reauthenticated": True}
    session["account_authentication_methods"] = [record]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client
