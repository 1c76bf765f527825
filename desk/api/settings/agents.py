"""Agents with their slots, groups and skills; whether they are available; and skills."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import rights
from accounts.models import Agent, AgentChannel, Channel, Group, Skill, User
from desk import queries
from desk.api.refusal import Refusal, checked
from desk.api.settings.fields import Keyed, Numbered
from desk.api.settings.shape import (
    SettingSerializer,
    SettingViewSet,
    WebsiteFilterSerializer,
    assign,
    described,
)
from routing import changes, parts, presence


def skills_of(user: User) -> QuerySet[Skill]:
    """Return the skills of the websites that a user oversees."""
    return Skill.objects.filter(website__in=rights.websites_of(user).order_by().values("pk"))


class SlotsSerializer(serializers.ModelSerializer[AgentChannel]):
    """How many conversations the agent can hold at the same time on a channel."""

    class Meta:
        model = AgentChannel
        fields = ("channel", "slots")


class AgentSerializer(SettingSerializer):
    """The desk of a user. `groups` and `skills` are those that you oversee; others stay as they
    are."""

    id = serializers.IntegerField(source="pk", read_only=True)
    username = serializers.SlugRelatedField[Any](
        source="user",
        slug_field="username",
        queryset=User.objects.filter(agent=None),
        help_text="An account without a desk. It cannot be changed later.",
    )
    groups = Numbered(rights.groups_of, source="shown_groups", many=True, required=False)
    skills = Numbered(skills_of, source="shown_skills", many=True, required=False)
    channels = SlotsSerializer(many=True, required=False)

    editable_once = ("user",)
    reserved = ("user",)

    class Meta:
        model = Agent
        fields = ("id", "username", "display_name", "groups", "skills", "languages", "channels")


class AvailabilitySerializer(serializers.Serializer[Any]):
    """The state of one channel of an agent."""

    channel = serializers.ChoiceField(choices=Channel.choices)
    is_available = serializers.BooleanField(help_text="What the agent has chosen.")
    held = serializers.IntegerField(
        source="active", read_only=True, help_text="Conversations on the desk."
    )
    slots = serializers.IntegerField(read_only=True)


class StateSerializer(serializers.Serializer[Any]):
    """Whether an agent is connected, and the channels on which the agent has slots."""

    is_connected = serializers.BooleanField()
    channels = AvailabilitySerializer(many=True)


@described(
    "an agent",
    "yourself, if you are an agent, and the agents whom you oversee",
    who="Managers change the agents of their groups; administrators add and delete.",
)
class AgentViewSet(SettingViewSet):
    noun = "agents"
    model = Agent
    serializer_class = AgentSerializer
    filters = WebsiteFilterSerializer

    def rows(self) -> QuerySet[Agent]:
        overseen = rights.agents_of(self.user).order_by().values("pk")
        groups = rights.groups_of(self.user)
        return (
            Agent.objects.filter(Q(pk__in=overseen) | Q(user=self.user))
            .select_related("user")
            .prefetch_related(
                Prefetch("groups", groups.order_by("pk"), to_attr="shown_groups"),
                Prefetch("skills", skills_of(self.user).order_by("pk"), to_attr="shown_skills"),
                Prefetch("channels", AgentChannel.objects.order_by("channel")),
            )
        )

    def narrowed(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        """Filter by the websites of the groups that are shown, and of no others."""
        if "website" not in asked:
            return rows
        groups = rights.groups_of(self.user).filter(website__key=asked["website"])
        return rows.filter(pk__in=groups.order_by().values("members"))

    def may_change(self, row: Agent) -> bool:
        return rights.steers(self.user) and rights.agents_of(self.user).filter(pk=row.pk).exists()

    def may_remove(self, row: Agent) -> bool:
        return rights.administers(self.user)

    def write(self, row: Agent, values: dict[str, Any]) -> None:
        groups, skills = values.pop("shown_groups", None), values.pop("shown_skills", None)
        channels = values.pop("channels", ())
        assign(row, values)
        if skills is not None:
            others = row.skills.exclude(pk__in=skills_of(self.user).order_by().values("pk"))
            row.skills.set([*skills, *others])
        parts.set_slots(row, {one["channel"]: one["slots"] for one in channels if "slots" in one})
        if groups is not None:
            among: QuerySet[Group] = rights.groups_of(self.user)
            for group_id in parts.set_groups(row, groups, among=among):
                changes.group_changed(group_id)
        changes.agent_changed(row.pk)

    @extend_schema(methods=["get"], responses=StateSerializer)
    @extend_schema(
        methods=["post"],
        request=AvailabilitySerializer,
        responses={
            200: StateSerializer,
            409: OpenApiResponse(description="The agent has no slots on this channel."),
        },
    )
    @action(detail=True, methods=["get", "post"])
    def availability(self, request: Request, number: int) -> Response:
        """Tell whether an agent is connected and available, and how much is on the desk; or choose,
        as the agent, whether more may come on a channel."""
        agent = self.get_object()
        if request.method == "POST":
            self._choose(request, agent)
        state = {
            "is_connected": presence.is_connected(agent.pk, timezone.now()),
            "channels": queries.status_buttons(agent),
        }
        return Response(StateSerializer(cast(Any, state)).data)

    def _choose(self, request: Request, agent: Agent) -> None:
        if queries.agent_of(self.user) != agent:
            raise PermissionDenied(
                _("Only the agents themselves choose whether they are available.")
            )
        asked = checked(request, AvailabilitySerializer, "data")
        channel, available = Channel(asked["channel"]), asked["is_available"]
        if not presence.set_available(agent.pk, channel, available, at=timezone.now()):
            raise Refusal(_("This agent has no slots on this channel."), "refused", 409)


class SkillSerializer(SettingSerializer):
    """A language or a topic that a conversation may require of its agent."""

    id = serializers.IntegerField(source="pk", read_only=True)
    website = Keyed()

    class Meta:
        model = Skill
        fields = ("id", "website", "kind", "name")


@described("a skill", "the skills of your websites", who="Administrators only.")
class SkillViewSet(SettingViewSet):
    noun = "agents"
    model = Skill
    serializer_class = SkillSerializer
    filters = WebsiteFilterSerializer

    def rows(self) -> QuerySet[Skill]:
        return skills_of(self.user).select_related("website")

    def write(self, row: Skill, values: dict[str, Any]) -> None:
        assign(row, values)
        changes.skill_changed(row.pk)

    def remove(self, row: Skill) -> None:
        pk = row.pk
        row.delete()
        changes.skill_changed(pk)
