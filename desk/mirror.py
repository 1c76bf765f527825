"""Where the visitor is on the site now: the toolbar's place for mirroring (R187, R188)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from conversations.lifecycle.transitions import Status
from conversations.models import Conversation, Profile, SeenPage


@dataclass(frozen=True, slots=True)
class Mirror:
    """``url`` is empty where the page is not known; nothing else is while he is away."""

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
    """``None`` where the website has not switched it on (R60), or the conversation is closed.

    ``pages`` are the visitor's, the last one first. Since when he is on it is what his browser said
    last: a page that was left and opened again is remembered only once.
    """
    if not conversation.website.mirroring or conversation.status == Status.CLOSED:
        return None
    if not is_online or not pages:
        return Mirror(is_online)
    page = pages[0]
    return Mirror(True, page.url, page.title, profile.said_at if profile else page.seen_at)
