"""The verbs of the desk as operations of the API: the same functions, refusals and ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Agent, Group, Skill, User
from conversations.lifecycle.transitions import Refused, Status, Verb
from conversations.models import Conversation, Style
from desk import queries
from desk.api.refusal import Explained, checked
from desk.api.serializers import (
    BlockingSerializer,
    ConversationSerializer,
    SeenSerializer,
    SnoozeSerializer,
    TransferSerializer,
)
from desk.rights import rights_of
from routing.actions import assignment, by_agent, by_supervisor

MOVED = {
    200: ConversationSerializer,
    204: OpenApiResponse(description="Done; you no longer see the conversation."),
    409: OpenApiResponse(description="Refused, with a sentence. Nothing was changed."),
}
Act = Callable[[datetime], Conversation]


class Verbs(Explained):
    """What agents do to conversations on their desk, and supervisors to those they oversee."""

    get_object: Callable[[], Conversation]

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def _desk(self, verb: Verb) -> Agent:
        """Return the user's desk; ``Refused`` for one without."""
        agent = queries.agent_of(self.user)
        if agent is None:
            raise Refused(verb, None, "this user has no desk")
        return agent

    def _moved(self, act: Act) -> Response:
        moved = act(timezone.now())
        seen = Conversation.objects.visible_to(self.user).select_related(
            "website", "group", "agent", "visitor__person"
        )
        fresh = seen.filter(pk=moved.pk).first()
        if fresh is None:
            return Response(status=204)
        return Response(ConversationSerializer(fresh).data)

    @extend_schema(request=SnoozeSerializer, responses=MOVED)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, number: int) -> Response:
        """Snooze a conversation on your desk until a moment or until the visitor replies."""
        # 404 for a conversation that the user may not see.
        self.get_object()
        asked = checked(request, SnoozeSerializer, "data")
        return self._moved(
            lambda at: by_agent.snooze(
                number,
                user=self.user,
                until=asked["until"],
                keep=asked["keep"],
                auto_close=asked["auto_close"],
                seen=asked.get("seen"),
                at=at,
            )
        )

    @extend_schema(request=SeenSerializer, responses=MOVED)
    @action(detail=True, methods=["post"])
    def pending(self, request: Request, number: int) -> Response:
        """Set a conversation on your desk aside until the visitor replies."""
        self.get_object()
        seen = checked(request, SeenSerializer, "data").get("seen")
        return self._moved(
            lambda at: by_agent.set_pending(number, user=self.user, at=at, seen=seen)
        )

    @extend_schema(request=SeenSerializer, responses=MOVED)
    @action(detail=True, methods=["post"], url_path="on-hold")
    def on_hold(self, request: Request, number: int) -> Response:
        """Set a conversation on your desk aside until a third party answers."""
        self.get_object()
        seen = checked(request, SeenSerializer, "data").get("seen")
        return self._moved(
            lambda at: by_agent.set_on_hold(number, user=self.user, at=at, seen=seen)
        )

    @extend_schema(request=SeenSerializer, responses=MOVED)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, number: int) -> Response:
        """Do what the desk's button "Close" does: close a live conversation, solve any other. Sends
        the website's closing message."""
        self.get_object()
        seen = checked(request, SeenSerializer, "data").get("seen")
        return self._moved(lambda at: by_agent.finish(number, user=self.user, at=at, seen=seen))

    @extend_schema(request=SeenSerializer, responses=MOVED)
    @action(detail=True, methods=["post"])
    def solve(self, request: Request, number: int) -> Response:
        """Solve a conversation on your desk: a reply reopens it. Refused for live conversations,
        which can only be closed."""
        conversation = self.get_object()
        seen = checked(request, SeenSerializer, "data").get("seen")
        if conversation.style == Style.LIVE:
            raise Refused(Verb.SOLVE, None, "a live conversation is closed")
        return self._moved(lambda at: by_agent.finish(number, user=self.user, at=at, seen=seen))

    @extend_schema(request=None, responses=MOVED)
    @action(detail=True, methods=["post"])
    def take(self, request: Request, number: int) -> Response:
        """Take a conversation that is assigned to you onto your desk."""
        self.get_object()
        self._desk(Verb.TAKE)
        return self._moved(lambda at: assignment.take(number, user=self.user, at=at))

    @extend_schema(request=None, responses=MOVED)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, number: int) -> Response:
        """Bring back a pending, on-hold or solved conversation of yours or of your team."""
        self.get_object()
        self._desk(Verb.REOPEN)
        return self._moved(lambda at: by_agent.resume(number, user=self.user, at=at))

    @extend_schema(request=None, responses=MOVED)
    @action(detail=True, methods=["post"])
    def wake(self, request: Request, number: int) -> Response:
        """End a snooze: your own, your team's, or one that you oversee."""
        conversation = self.get_object()
        agent = queries.agent_of(self.user)
        rights = rights_of(conversation, self.user, agent, at=timezone.now())
        if not rights.wake and by_supervisor.oversees(conversation, self.user):
            return self._moved(lambda at: by_supervisor.wake(number, user=self.user, at=at))
        self._desk(Verb.WAKE_TO_AGENT)
        return self._moved(lambda at: by_agent.wake(number, user=self.user, at=at))

    @extend_schema(request=None, responses=MOVED)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, number: int) -> Response:
        """Return a conversation that you oversee to its queue, if its agent is not connected."""
        self.get_object()
        if not self.user.steers:
            raise Refused(Verb.RELEASE, None)
        return self._moved(lambda at: by_supervisor.release(number, user=self.user, at=at))

    @extend_schema(request=TransferSerializer, responses=MOVED)
    @action(detail=True, methods=["post"])
    def transfer(self, request: Request, number: int) -> Response:
        """Transfer a conversation on your desk, or reassign one that you oversee and whose agent is
        not connected, to an agent or a group of its website."""
        conversation = self.get_object()
        asked = checked(request, TransferSerializer, "data")
        agent = queries.agent_of(self.user)
        is_mine = agent is not None and conversation.agent_id == agent.pk
        is_held = is_mine and conversation.status in {Status.ACTIVE, Status.ASSIGNED}
        oversees = not is_held and by_supervisor.oversees(conversation, self.user)
        to = self._target(conversation, asked, any_agent=oversees)
        skills = self._skills(conversation, asked)
        if oversees:
            if asked["note"]:
                raise ValidationError(
                    {"note": [_("Only the agent who holds the conversation can add a note.")]}
                )
            return self._moved(
                lambda at: by_supervisor.reassign(
                    number, to=to, user=self.user, at=at, skills=skills
                )
            )
        return self._moved(
            lambda at: by_agent.transfer(
                number, user=self.user, to=to, note=asked["note"], at=at, skills=skills
            )
        )

    def _skills(self, conversation: Conversation, asked: dict[str, Any]) -> list[int] | None:
        """Return the skills that the next agent needs, or ``None`` if nothing was chosen."""
        wanted = asked.get("skills")
        if wanted is None:
            return None
        if "group" not in asked:
            raise ValidationError({"skills": [_("Only a transfer to a group can require skills.")]})
        known = set(Skill.objects.filter(website=conversation.website_id, pk__in=wanted).in_bulk())
        if known != set(wanted):
            raise ValidationError({"skills": [_("This is not a skill of this website.")]})
        return sorted(known)

    @extend_schema(request=BlockingSerializer, responses=MOVED)
    @action(detail=True, methods=["post"])
    def block(self, request: Request, number: int) -> Response:
        """Block the visitor of a conversation on your desk and close it, without a closing message
        or a survey."""
        self.get_object()
        asked = checked(request, BlockingSerializer, "data")
        self._desk(Verb.CLOSE)
        reason, until = asked["reason"], asked["until"]
        if until is not None and until <= timezone.now():
            raise ValidationError({"until": [_("Choose a moment in the future.")]})
        return self._moved(
            lambda at: by_agent.block(number, user=self.user, reason=reason, until=until, at=at)
        )

    def _target(
        self, conversation: Conversation, asked: dict[str, Any], *, any_agent: bool
    ) -> Agent | Group:
        """Return the next holder, among those that the desk offers."""
        chosen = [name for name in ("agent", "group") if name in asked]
        if len(chosen) != 1:
            raise ValidationError({"agent": [_("Choose a colleague or a team.")]})
        name = chosen[0]
        recipient: Agent | Group | None
        if name == "group":
            recipient = queries.teams(conversation).filter(pk=asked[name]).first()
        else:
            agents = (
                queries.agents_of(conversation)
                if any_agent
                else queries.colleagues(conversation, self.user)
            )
            recipient = agents.filter(pk=asked[name]).first()
        if recipient is None:
            raise ValidationError({name: [_("This is not a possible recipient.")]})
        return recipient
