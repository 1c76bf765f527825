"""Desk sessions for the async entry points, checked in the statement that acts.

Reading a session through Django costs three round trips. Here they are paid once for each session.
From then on every statement contains ``SESSION_VALID_SQL``, which is true only while the session,
the account and the password are unchanged. A logout or a new password takes effect at once.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from accounts.logins import second_factors
from accounts.logins.session_store import ENDS_AT, IDLE_SECONDS, SessionStore
from accounts.models import Agent, User

SESSION_VALID_SQL = (
    """EXISTS (
    SELECT FROM django_session s, accounts_user u
    WHERE s.session_key = %(session_key)s AND s.expire_date > now()
    AND u.id = %(user_id)s AND u.is_active AND u.password = %(password)s
    AND NOT """
    + second_factors.LACKS
    + """
)"""
)

CACHE_SIZE = 2000


@dataclass(frozen=True, slots=True)
class DeskSession:
    """The parameters of ``SESSION_VALID_SQL``, and the user's agent, if they have a desk."""

    session_key: str
    user_id: int
    password: str
    agent_id: int | None
    name: str
    language: str
    role: str
    limits: tuple[int, int] = (0, 0)
    """When the session ends at the latest, and after how many idle seconds."""

    @property
    def proof(self) -> dict[str, object]:
        """The parameters that ``SESSION_VALID_SQL`` takes."""
        return {
            "session_key": self.session_key,
            "user_id": self.user_id,
            "password": self.password,
        }


_sessions: OrderedDict[str, DeskSession] = OrderedDict()


def cached(session_key: str) -> DeskSession | None:
    """Return the cached desk session. It must be checked again by ``SESSION_VALID_SQL``."""
    return _sessions.get(session_key)


def load(session_key: str) -> DeskSession | None:
    """Read the session as Django would; return ``None`` if nobody is logged in with it."""
    # First, so that a session that has ended leaves the cache whatever is found.
    _sessions.pop(session_key, None)
    session = SessionStore(session_key)
    user_id = session.get(SESSION_KEY)
    if user_id is None or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = User.objects.select_related("agent").filter(pk=user_id, is_active=True).first()
    if user is None or not constant_time_compare(
        session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
    ):
        return None
    if second_factors.must_set_up(user):
        return None
    agent: Agent | None = None if user.reads_only else getattr(user, "agent", None)
    desk_session = DeskSession(
        session_key=session_key,
        user_id=user.pk,
        password=user.password,
        agent_id=agent.pk if agent else None,
        name=agent.display_name if agent else "",
        language=user.language,
        role=user.role,
        limits=(session.get(ENDS_AT, 0), session.get(IDLE_SECONDS, 0)),
    )
    if agent is not None:  # Not cached without a desk, so that a new desk works at once.
        _sessions[session_key] = desk_session
    if len(_sessions) > CACHE_SIZE:
        _sessions.popitem(last=False)
    return desk_session
