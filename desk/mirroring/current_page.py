"""The visitor's present page, shown in the toolbar's place for mirroring (R187, R188)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from conversations.lifecycle.transitions import Status
from conversations.models import Conversation, Profile, SeenPage


@dataclass(frozen=True, slots=True)
class Mirror:
    """``url`` is empty if the page is unknown; all other fields are while the visitor is away."""

    is_on_site: bool
    url: str = ""
    title: str = ""
    since: datetime | None = None


def mirror_of(
    conversation: Conversation,
    *,
    is_online: bool,
    pages: Sequence[SeenPage],
    profile: Profile | None,
) -> Mirror | None:
    """Return the mirror; ``None`` if it is off for the website (R60) or the conversation is closed.

    ``pages`` are the visitor's, the last one first. ``since`` is when their browser last reported:
    a page that was left and opened again is recorded only once.
    """
    if not conversation.website.mirroring or conversation.status == Status.CLOSED:
        return None
    if not is_online or not pages:
        return Mirror(is_online)
    page = pages[0]
    return Mirror(True, page.url, page.title, profile.said_at if profile else page.seen_at)
