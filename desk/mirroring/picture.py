"""What the toolbar says about the picture of the visitor's page (R188): whether this agent may
look, or why not, and who has looked."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from accounts.models import Agent
from conversations.mirroring import cobrowsing, looks
from conversations.mirroring.decisions import Obstacle
from conversations.models import CobrowsingSession, Conversation, MirrorLook


@dataclass(frozen=True, slots=True)
class Picture:
    """``obstacle`` is a sentence, or empty if the agent may look."""

    is_on_site: bool
    obstacle: str = ""
    past: list[MirrorLook] = field(default_factory=list)
    may_ask: bool = False
    sessions: list[CobrowsingSession] = field(default_factory=list)


def picture_of(
    conversation: Conversation, agent: Agent | None, *, is_online: bool
) -> Picture | None:
    """Return the picture; ``None`` if there is nothing to say, such as where the website does not
    want it (R60)."""
    past = looks.past_of(conversation.pk)
    if agent is None:
        return Picture(is_online, sentences()[Obstacle.NOT_YOURS], past) if past else None
    obstacle = looks.obstacle_for(conversation, agent)
    if obstacle in {Obstacle.OFF, Obstacle.CLOSED, Obstacle.NOT_YOURS} and not past:
        return None
    return Picture(
        is_online,
        sentences()[obstacle] if obstacle else "",
        past,
        # What else may stop them is said when they ask.
        may_ask=bool(conversation.website.cobrowsing_permissions)
        and conversation.agent_id == agent.pk,
        sessions=cobrowsing.past_of(conversation.pk),
    )


def sentences() -> dict[str, str]:
    """Return why an agent cannot look, in the reader's language."""
    return {
        Obstacle.OFF: _("This website does not show pages to agents."),
        Obstacle.CLOSED: _("The conversation is closed."),
        Obstacle.NOT_YOURS: _("Only the agent of this conversation and managers can see the page."),
        Obstacle.NO_CONSENT: _("The visitor has not agreed to show their page."),
        Obstacle.STOPPED: _("The visitor has stopped showing their page."),
        Obstacle.FULL: _("Three people are already looking at this page. Try again later."),
    }
