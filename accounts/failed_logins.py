"""Limits of wrong passwords, counted in the database: they hold while Valkey is away, too.

Nobody can lock anybody else out. Wrong passwords count for the account *from one address*, so those
of an attacker elsewhere do not touch the owner. In a browser in which the owner has logged in
before (a signed cookie says so), they count for this browser alone, whoever shares the address.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac

from accounts.models import FailedLogin, User
from core.rates import counters
from core.rates.windows import By, subject_of
from core.rejection import TooMany

DOOR = "login"
BROWSER_DAYS = 400  # as long as browsers keep a cookie
_SALT = "causerie.browser"


class Proof(StrEnum):
    """What is tried. Codes have so few digits that unknown browsers share one count, wherever they
    are: to lock the owner's new browsers out, somebody would have to know the password."""

    PASSWORD = "account"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that counts as failed until it has succeeded."""

    subjects: dict[By, str]

    def succeed(self) -> None:
        """Forget the wrong passwords of this account from here. Those of other accounts from the
        same address still count: the attacker may have an account, too."""
        FailedLogin.objects.filter(subject=self.subjects[By.ACCOUNT]).delete()
        if By.ADDRESS in self.subjects:
            newest = FailedLogin.objects.filter(subject=self.subjects[By.ADDRESS]).order_by("-at")
            FailedLogin.objects.filter(pk__in=newest.values("pk")[:1]).delete()


def begin(
    username: str, *, address: str, browser: str, at: datetime, proof: Proof = Proof.PASSWORD
) -> Attempt:
    """Count an attempt before its proof is checked; raise ``TooMany`` if there were too many.

    It is stored first and counted then, so that of many attempts at once no more get through.
    """
    limits = settings.RATE_LIMITS.get(DOOR, {})
    subjects = _subjects(username, subject_of(address), browser, proof)
    attempt = Attempt(subjects)
    FailedLogin.objects.bulk_create(
        FailedLogin(subject=subject, at=at) for by, subject in subjects.items() if by in limits
    )
    for by, item in limits.items():
        since = at - timedelta(seconds=item.get_expiry())
        tries = FailedLogin.objects.filter(subject=subjects.get(by, ""), at__gt=since)
        if tries.count() > item.amount:
            # Attempts that are refused do not count, or waiting would never help.
            FailedLogin.objects.filter(subject__in=subjects.values(), at=at).delete()
            counters.record_refusal(DOOR, by)
            eldest = tries.order_by("at").values_list("at", flat=True).first() or at
            raise TooMany(max(1, int((eldest - since).total_seconds()) + 1))
    return attempt


def known_browser(user: User) -> str:
    """Return the cookie of a browser in which this user has logged in."""
    return signing.dumps([user.pk, secrets.token_urlsafe(12)], salt=_SALT)


def knows(user: User, cookie: str) -> bool:
    """Return whether the user has logged in in the browser with this cookie."""
    return bool(_browser_of(user.username.casefold(), cookie))


def forget(*, before: datetime) -> int:
    """Delete attempts that no limit counts any more; return how many."""
    return FailedLogin.objects.filter(at__lt=before).delete()[0]


def longest() -> timedelta:
    """Return how far back the limits count."""
    limits = settings.RATE_LIMITS.get(DOOR, {})
    return timedelta(seconds=max((item.get_expiry() for item in limits.values()), default=0))


def _subjects(username: str, address: str, browser: str, proof: Proof) -> dict[By, str]:
    account = username.strip().casefold()
    elsewhere = f"address {address}" if proof == Proof.PASSWORD else "anywhere"
    holder = _browser_of(account, browser) or elsewhere
    subjects = {By.ACCOUNT: _hash(f"{holder} {proof} {account}")}
    if address:
        subjects[By.ADDRESS] = _hash(f"address {address}")
    return subjects


def _browser_of(account: str, cookie: str) -> str:
    """Return the browser if its cookie was issued to this account; "" otherwise."""
    try:
        user_id, name = signing.loads(cookie, salt=_SALT, max_age=timedelta(days=BROWSER_DAYS))
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    is_theirs = User.objects.filter(pk=user_id, username__iexact=account).exists()
    return f"browser {name}" if is_theirs else ""


def _hash(subject: str) -> str:
    return salted_hmac("causerie.login", subject, algorithm="sha256").hexdigest()
