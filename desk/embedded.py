"""The toolbar applications beside a conversation, and the signed context they get (R195)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
from django.conf import settings
from django.db.models import Q, QuerySet

from accounts import rights
from accounts.models import Agent, ToolbarApp, User, Website
from conversations.models import Conversation

GOOD_FOR = timedelta(minutes=5)
ALGORITHM = "HS256"


def beside(conversation: Conversation, *, host: str = "") -> QuerySet[ToolbarApp]:
    """Return the applications of the conversation's website and group, in order.

    None on the desk's own host: there, a page in a frame would be the desk.
    """
    here = ToolbarApp.objects.filter(website=conversation.website_id, is_enabled=True)
    of_group = Q(groups=None) | Q(groups=conversation.group_id)
    return _elsewhere(here.filter(of_group).distinct(), host)


def origins_for(user: User, *, host: str) -> list[str]:
    """Return the origins that a desk of ``user`` may frame: its policy names only these."""
    mine = Q(groups__members__user=user) | Q(pk__in=rights.websites_of(user))
    websites = Website.objects.filter(mine).values("pk")
    shown = ToolbarApp.objects.filter(website__in=websites, is_enabled=True)
    return sorted({app.origin for app in _elsewhere(shown, host)})


def _elsewhere(apps: QuerySet[ToolbarApp], host: str) -> QuerySet[ToolbarApp]:
    own = [app.pk for app in apps if urlsplit(app.url).netloc.lower() == host.lower()]
    return apps.exclude(pk__in=own) if own else apps


def context_of(
    app: ToolbarApp, conversation: Conversation, agent: Agent | None, *, at: datetime
) -> str:
    """Return a token that the application's server can verify, valid for five minutes.

    It says whose conversation is viewed, and by whom. It names the customer only if the brand's own
    server has signed their identity (C14).
    """
    visitor = conversation.visitor
    claims: dict[str, Any] = {
        "iss": settings.PUBLIC_URL,
        "aud": app.origin,
        "iat": at,
        "exp": at + GOOD_FOR,
        "jti": str(uuid.uuid4()),
        "website": conversation.website.key,
        "conversation": conversation.pk,
        "status": conversation.status,
        "language": conversation.language,
        "visitor": {
            "id": str(visitor.public_id),
            "external_id": visitor.person.external_id if visitor.person else None,
        },
        "agent": {"id": agent.pk, "name": agent.display_name} if agent else None,
    }
    return jwt.encode(claims, app.secret.reveal(), algorithm=ALGORITHM)
