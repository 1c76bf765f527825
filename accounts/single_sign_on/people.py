"""Which account somebody gets who comes from a provider: the one linked with them, or a new one.

Never one found by its e-mail address: whoever controls a provider could claim any address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.logins import notices
from accounts.models import ExternalIdentity, IdentityProvider, User
from accounts.single_sign_on.admission import Admission, Rule, confirmed_email, decide


class NotAdmitted(Exception):
    """The provider's proof is right, but this person gets no account by it. ``reason`` is
    ``unknown``, ``no_rule``, ``taken`` or ``inactive``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What a provider says of a person."""

    username: str
    email: str
    first_name: str
    last_name: str


class Directory:
    """Creates accounts with a desk and changes their role and groups, which a higher room does;
    ``config/wiring.py`` connects it."""

    create: Callable[[Newcomer, Admission], User]
    update: Callable[[User, Admission, frozenset[int]], None]

    def connect(
        self,
        create: Callable[[Newcomer, Admission], User],
        update: Callable[[User, Admission, frozenset[int]], None],
    ) -> None:
        self.create, self.update = create, update


DIRECTORY = Directory()


@transaction.atomic
def arrive(provider: IdentityProvider, claims: Mapping[str, Any]) -> User:
    """Return the account of whoever the claims are about; raise ``NotAdmitted``.

    The row of the provider is locked, so that two first logins at once make one account.
    """
    IdentityProvider.objects.select_for_update().get(pk=provider.pk)
    rules = _rules_of(provider)
    identity = (
        ExternalIdentity.objects.select_related("user")
        .filter(provider=provider, subject=claims["sub"])
        .first()
    )
    if identity is None:
        return _create(provider, claims, rules)
    user = identity.user
    if not user.is_active:
        raise NotAdmitted("inactive")
    if identity.is_managed:
        admission = decide(rules, claims, provider.groups_claim)
        if admission is None:
            raise NotAdmitted("no_rule")
        named = frozenset().union(*(rule.group_ids for rule in rules))
        DIRECTORY.update(user, admission, named)
    return user


def _create(provider: IdentityProvider, claims: Mapping[str, Any], rules: list[Rule]) -> User:
    if not provider.creates_accounts:
        raise NotAdmitted("unknown")
    admission = decide(rules, claims, provider.groups_claim)
    if admission is None:
        raise NotAdmitted("no_rule")
    newcomer = _newcomer(claims)
    taken = User.objects.filter(username__iexact=newcomer.username)
    if newcomer.email:
        taken = taken | User.objects.filter(email__iexact=newcomer.email)
    if taken.exists():
        raise NotAdmitted("taken")
    user = DIRECTORY.create(newcomer, admission)
    _store(provider, user, claims, is_managed=True)
    return user


def link(
    provider: IdentityProvider, user: User, claims: Mapping[str, Any], request: HttpRequest
) -> None:
    """Let this person of the provider log in as ``user``, who is told by e-mail; raise
    ``NotAdmitted`` if either is linked already."""
    try:
        with transaction.atomic():
            _store(provider, user, claims, is_managed=False)
            notices.publish(user, notices.Event.IDENTITY_LINKED, request)
    except IntegrityError:
        raise NotAdmitted("taken") from None


@transaction.atomic
def unlink(identity: ExternalIdentity, request: HttpRequest) -> bool:
    """Remove a link, and tell the user. Return whether it was done: not if nothing else opens the
    account."""
    user = identity.user
    others = user.identities.exclude(pk=identity.pk)
    if not user.has_usable_password() and not others.exists():
        return False
    identity.delete()
    notices.publish(user, notices.Event.IDENTITY_UNLINKED, request)
    return True


def _store(
    provider: IdentityProvider, user: User, claims: Mapping[str, Any], *, is_managed: bool
) -> None:
    ExternalIdentity.objects.create(
        provider=provider,
        user=user,
        subject=claims["sub"],
        is_managed=is_managed,
        created_at=timezone.now(),
    )


def _rules_of(provider: IdentityProvider) -> list[Rule]:
    return [
        Rule(
            basis=row.basis,
            value=row.value,
            role=row.role,
            group_ids=frozenset(group.pk for group in row.groups.all()),
        )
        for row in provider.rules.prefetch_related("groups")
    ]


def _newcomer(claims: Mapping[str, Any]) -> Newcomer:
    email = confirmed_email(claims)
    first, last = _line(claims, "given_name"), _line(claims, "family_name")
    if not first and not last:
        first, _space, last = _line(claims, "name").partition(" ")
    username = email or _line(claims, "preferred_username") or str(claims["sub"])
    return Newcomer(username[:150], email, first, last)


def _line(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    text = value if isinstance(value, str) else ""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:150]
