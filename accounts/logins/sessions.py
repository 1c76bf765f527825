"""Sessions of users: when they end, the list of a user's own, and the record of logins."""

from __future__ import annotations

import logging
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.logins import devices, notices
from accounts.logins.session_store import ENDS_AT, IDLE_SECONDS, end_of
from accounts.models import Login, LoginRule, User
from core import encryption
from core.rates.windows import subject_of

logger = logging.getLogger(__name__)

RETENTION = timedelta(days=90)
"""How long the record of logins is stored, unless the session is still open."""

PROVIDER = "single_sign_on"
"""Where a session has the provider that opened it."""

TOUCH_SECONDS = 60
"""Activity is written at most this often."""

REMEMBERED = 5000
_touched: OrderedDict[str, float] = OrderedDict()


@transaction.atomic
def begin(request: HttpRequest, user: User, *, method: str, is_known_browser: bool) -> None:
    """Limit the session that has just begun, record the login, and tell the user of a new device.

    Nobody is told of their very first login.
    """
    rule = LoginRule.objects.filter(role=user.ruling_role).first() or LoginRule()
    now = timezone.now()
    request.session[ENDS_AT] = int(now.timestamp()) + rule.longest_hours * 3600
    request.session[IDLE_SECONDS] = (rule.idle_minutes or 0) * 60
    request.session.save()
    before = Login.objects.filter(user=user, outcome=Login.Outcome.SUCCEEDED)
    is_new = not is_known_browser and before.exists()
    login = _record(
        request, user, Login.Outcome.SUCCEEDED, method, request.session.session_key or ""
    )
    if opened := opened_by_provider(request):
        mine = Login.objects.filter(pk=login.pk)
        mine.update(provider=opened["provider"], provider_session=opened["sid"])
    if is_new:
        notices.publish(user, notices.Event.NEW_DEVICE, request)


def record_failure(request: HttpRequest, user: User, outcome: Login.Outcome) -> None:
    """Record a wrong proof for an account that exists. What was typed is never stored."""
    _record(request, user, outcome)


def _record(
    request: HttpRequest,
    user: User,
    outcome: Login.Outcome,
    method: str = "",
    session_key: str = "",
) -> Login:
    address = str(request.META.get("REMOTE_ADDR", ""))
    login = Login.objects.create(
        user=user,
        at=timezone.now(),
        outcome=outcome,
        method=method,
        device=devices.name_of(request.headers.get("User-Agent", ""))[:60],
        address=address if subject_of(address) else None,
        session_key=session_key,
    )
    logger.info("login of user %s %s, %s", user.pk, outcome.value, method or "-")
    return login


def remember_provider(request: HttpRequest, provider_id: int, sid: str, id_token: str) -> None:
    """Remember by which provider of single sign-on the session begins, for the logout there."""
    request.session[PROVIDER] = {
        "provider": provider_id,
        "sid": sid,
        "id_token": encryption.encrypt(id_token, purpose=PROVIDER),
    }


def opened_by_provider(request: HttpRequest) -> dict[str, Any]:
    """Return what ``remember_provider`` stored, or nothing."""
    stored = request.session.get(PROVIDER)
    return stored if isinstance(stored, dict) else {}


def id_token_of(opened: dict[str, Any]) -> str:
    """Return the provider's token with which the session began; raise ``Unreadable``."""
    return encryption.decrypt(opened["id_token"], purpose=PROVIDER)


def moved(before: str | None, request: HttpRequest) -> None:
    """Follow a session whose key has changed, as after a new password."""
    after = request.session.session_key or ""
    # "" is the key of all failed logins, and "-" of none.
    Login.objects.filter(session_key=before or "-").update(session_key=after)


def of(user: User, *, at: datetime) -> list[Login]:
    """Return the logins whose sessions are open, the latest first."""
    logins = Login.objects.filter(user=user, outcome=Login.Outcome.SUCCEEDED)
    keys = Session.objects.filter(
        session_key__in=logins.exclude(session_key="").values("session_key"), expire_date__gt=at
    ).values_list("session_key", flat=True)
    return list(logins.filter(session_key__in=list(keys)))


def end(user: User, login_id: int) -> bool:
    """End one session of the user; its sockets close within seconds. Return whether it was
    open."""
    login = Login.objects.filter(user=user, pk=login_id).exclude(session_key="").first()
    if login is None:
        return False
    return bool(Session.objects.filter(session_key=login.session_key).delete()[0])


def end_others(user: User, *, but: str) -> int:
    """End all sessions of the user but the one with this key; return how many there were."""
    keys = Login.objects.filter(user=user).exclude(session_key__in=["", but])
    others = Session.objects.filter(session_key__in=keys.values("session_key"))
    return int(others.delete()[0])


def touch(session: Any, session_key: str | None, *, at: datetime) -> None:
    """Put the end of an idle session off, after something that a person did."""
    if session_key and session.get(IDLE_SECONDS):
        _put_off(session_key, session.get(ENDS_AT, 0), session[IDLE_SECONDS], at)


def touch_desk(session_key: str, limits: tuple[int, int]) -> None:
    """The same for an entry point that knows the session's limits: its end and its idle seconds."""
    _put_off(session_key, *limits, timezone.now())


def _put_off(session_key: str, ends_at: int, idle_seconds: int, at: datetime) -> None:
    if not _is_due(session_key, at.timestamp()):
        return
    until = end_of(ends_at, idle_seconds, now=at)
    # Only the date: saving the whole session could undo what another request has just stored.
    Session.objects.filter(session_key=session_key, expire_date__gt=at).update(expire_date=until)


def _is_due(session_key: str, now: float) -> bool:
    # Below 0 the clock was set back, and nothing would be written for as long.
    if 0 <= now - _touched.get(session_key, 0) < TOUCH_SECONDS:
        return False
    _touched[session_key] = now
    if len(_touched) > REMEMBERED:
        _touched.popitem(last=False)
    return True


def forget(*, at: datetime) -> int:
    """Delete sessions that have ended, and logins older than ``RETENTION`` without an open
    session; return how many rows."""
    ended = Session.objects.filter(expire_date__lte=at).delete()[0]
    old = Login.objects.filter(at__lte=at - RETENTION)
    return int(ended + old.exclude(session_key__in=Session.objects.values("pk")).delete()[0])
