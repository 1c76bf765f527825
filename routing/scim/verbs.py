"""What a directory changes by SCIM, in one transaction for each request, published as for a change
in the administration: what a deactivated user holds returns to its group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts.logins import sessions
from accounts.models import Agent, Group, Role, User
from core.text.cleaning import clean
from routing import changes, provisioning
from routing.scim.requests import Change, Invalid, ids_of, truth

PARTS = {"name.givenname": "first_name", "name.familyname": "last_name"}
LIMITS = {"username": 150, "first_name": 150, "last_name": 150, "email": 254, "external_id": 255}


class Taken(Exception):
    """Another row has this name."""


def create_user(wanted: Sequence[Change]) -> User:
    """Create an account with a desk and without a password; raise ``Invalid`` or ``Taken``."""
    user = User(role=Role.AGENT)
    _apply(user, wanted)
    if not user.username:
        raise Invalid("invalidValue", "userName is missing.")
    if User.objects.filter(username__iexact=user.username).exists():
        raise Taken
    try:
        # A savepoint: after the error, the transaction of the request goes on.
        with transaction.atomic():
            user.set_unusable_password()
            user.save()
    except IntegrityError:
        raise Taken from None
    provisioning.create_agent(user, display_name=(user.first_name or user.username)[:60])
    return user


def change_user(user: User, wanted: Sequence[Change]) -> None:
    """Change an account; raise ``Invalid`` or ``Taken``."""
    was_active = user.is_active
    _apply(user, wanted)
    others = User.objects.filter(username__iexact=user.username).exclude(pk=user.pk)
    if others.exists():
        raise Taken
    user.save()
    if was_active and not user.is_active:
        sessions.end_others(user, but="")
    changes.account_changed(user.pk)


def create_group(website_id: int, wanted: Sequence[Change]) -> Group:
    group = Group(website_id=website_id)
    _rename(group, wanted)
    if not group.name:
        raise Invalid("invalidValue", "displayName is missing.")
    _save(group)
    _set_members(group, wanted)
    return group


def change_group(group: Group, wanted: Sequence[Change]) -> None:
    _rename(group, wanted)
    _save(group)
    _set_members(group, wanted)


def _apply(user: User, wanted: Sequence[Change]) -> None:
    """Take over what the product knows; a directory also sends titles, telephones and more."""
    for change in wanted:
        value = None if change.how == "remove" else change.value
        if change.attribute == "active":
            user.is_active = truth(value)
        elif change.attribute == "username":
            user.username = _text("username", value)
        elif change.attribute in PARTS:
            name = PARTS[change.attribute]
            setattr(user, name, _text(name, value or ""))
        elif change.attribute == "externalid":
            user.external_id = _text("external_id", value or "")
        elif change.attribute in {"emails", "emails.value"}:
            user.email = _email(value)
        elif change.attribute in {"roles", "roles.value"} and value:
            user.role = _role(value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid("invalidValue", f"{name} must be a text.")
    text = " ".join(clean(value).split())
    if len(text) > LIMITS[name]:
        raise Invalid("invalidValue", f"{name} is too long.")
    return text


def _email(value: Any) -> str:
    """Return the primary address of a list, or the first."""
    rows = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    if rows:
        value = next((one for one in rows if one.get("primary") is True), rows[0]).get("value")
    if not value:
        return ""
    email = _text("email", value)
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid("invalidValue", "This is no e-mail address.") from None
    return email


def _role(value: Any) -> str:
    first = value[0] if isinstance(value, list) else value
    role = first.get("value") if isinstance(first, dict) else first
    if role not in Role.values:
        raise Invalid("invalidValue", f"roles must be one of {', '.join(Role.values)}.")
    return str(role)


def _rename(group: Group, wanted: Sequence[Change]) -> None:
    for change in wanted:
        if change.attribute == "displayname" and change.how != "remove":
            name = change.value if isinstance(change.value, str) else ""
            group.name = " ".join(clean(name).split())
            if not 0 < len(group.name) <= 100:
                raise Invalid("invalidValue", "displayName must have 1 to 100 characters.")


def _save(group: Group) -> None:
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError:
        raise Taken from None
    changes.group_changed(group.pk)


def _set_members(group: Group, wanted: Sequence[Change]) -> None:
    before = set(group.members.values_list("pk", flat=True))
    after = set(before)
    for change in wanted:
        if change.attribute != "members":
            continue
        named = _agents(change.value) if change.value else set()
        if change.how == "add":
            after |= named
        elif change.how == "replace":
            after = named
        else:
            after = after - named if change.value else set()
    if before == after:
        return
    group.members.set(after)
    changes.group_changed(group.pk)
    for agent_id in sorted(before ^ after):
        changes.agent_changed(agent_id)


def _agents(value: Any) -> set[int]:
    """Return the desks of the named users, who get one if they have none."""
    ids = {one for one in ids_of(value) if one.isascii() and one.isdigit() and len(one) < 19}
    people = User.objects.filter(pk__in=ids, is_service=False, is_superuser=False)
    if people.count() != len(set(ids_of(value))):
        raise Invalid("invalidValue", "members names a user who does not exist.")
    agents = set()
    for user in people:
        agent = Agent.objects.filter(user=user).first() or provisioning.create_agent(
            user, display_name=(user.first_name or user.username)[:60]
        )
        agents.add(agent.pk)
    return agents
