"""Groups with their members and hours, and holidays."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as Invalid
from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts import rights
from accounts.hours import overlaps
from accounts.models import Agent, Group, Holiday, Role, User
from accounts.models.hours import OpeningHours, Weekday, set_weekly_hours
from desk.api.settings.fields import Clock, Keyed, Numbered
from desk.api.settings.shape import (
    SettingSerializer,
    SettingViewSet,
    WebsiteFilterSerializer,
    assign,
    described,
)
from routing import changes, parts

MANAGERS = "Managers change the members, the time zone and the hours of their groups; "
OVERSEERS = ~Q(role__in=[Role.AGENT, Role.EXPERT]) | Q(is_superuser=True)


class HoursSerializer(serializers.ModelSerializer[OpeningHours]):
    """A weekly interval. `closes` at or before `opens` is on the next day."""

    weekday = serializers.ChoiceField(choices=Weekday.values, help_text="0 is Monday, 6 is Sunday.")

    opens = Clock()
    closes = Clock()

    class Meta:
        model = OpeningHours
        fields = ("weekday", "opens", "closes")


class GroupSerializer(SettingSerializer):
    """A distribution group. Without `hours` it is always open."""

    id = serializers.IntegerField(source="pk", read_only=True)
    website = Keyed()
    members = Numbered(
        rights.candidates_of, many=True, required=False, help_text="The numbers of agents."
    )
    managers = serializers.SlugRelatedField[Any](
        slug_field="username",
        queryset=User.objects.filter(OVERSEERS),
        many=True,
        required=False,
        help_text="The user names of those who oversee it.",
    )
    hours = HoursSerializer(source="opening_hours", many=True, required=False)

    editable_once = ("website",)
    reserved = (
        *("website", "name", "managers"),
        *("keeps_places_when_closed", "answer_seconds", "release_minutes"),
    )

    class Meta:
        model = Group
        fields = (
            *("id", "website", "name", "members", "managers", "time_zone", "hours"),
            *("keeps_places_when_closed", "answer_seconds", "release_minutes"),
        )

    def validate_hours(self, hours: list[dict[str, Any]]) -> list[tuple[int, Any, Any]]:
        week = [(row["weekday"], row["opens"], row["closes"]) for row in hours]
        if any(overlaps(week)) or len({row[:2] for row in week}) < len(week):
            raise serializers.ValidationError(_("Two of these intervals overlap."))
        return week


@described(
    "a group", "the groups that you oversee or belong to", who=MANAGERS + "administrators the rest."
)
class GroupViewSet(SettingViewSet):
    noun = "groups"
    model = Group
    serializer_class = GroupSerializer
    filters = WebsiteFilterSerializer

    def rows(self) -> QuerySet[Group]:
        own = rights.within_token(Group.objects.filter(members__user=self.user), self.user)
        both = Q(pk__in=rights.groups_of(self.user).order_by().values("pk")) | Q(
            pk__in=own.order_by().values("pk")
        )
        ordered = OpeningHours.objects.order_by("weekday", "opens")
        return (
            Group.objects.filter(both)
            .select_related("website")
            .prefetch_related(
                Prefetch("members", Agent.objects.order_by("pk")),
                Prefetch("managers", User.objects.order_by("username")),
                Prefetch("opening_hours", ordered),
            )
        )

    def may_change(self, row: Group) -> bool:
        return rights.steers(self.user) and rights.groups_of(self.user).filter(pk=row.pk).exists()

    def may_remove(self, row: Group) -> bool:
        return rights.administers(self.user)

    def write(self, row: Group, values: dict[str, Any]) -> None:
        week, members = values.pop("opening_hours", None), values.pop("members", None)
        assign(row, values)
        if week is not None:
            set_weekly_hours(row, week)
        moved = parts.set_members(row, members) if members is not None else set()
        for agent_id in moved:
            changes.agent_changed(agent_id)
        changes.group_changed(row.pk)

    def remove(self, row: Group) -> None:
        website_id, members = row.website_id, list(row.members.values_list("pk", flat=True))
        row.delete()
        changes.group_removed(website_id, members)


class HolidaySerializer(SettingSerializer):
    """A day with other hours, or none. Without a group it applies to the whole website."""

    id = serializers.IntegerField(source="pk", read_only=True)
    website = Keyed()
    group = Numbered(rights.groups_of, required=False, allow_null=True)
    opens = Clock(required=False, allow_null=True, help_text="Null if closed all day.")
    closes = Clock(required=False, allow_null=True)

    editable_once = ("website", "group")

    class Meta:
        model = Holiday
        fields = ("id", "website", "group", "date", "name", "opens", "closes")


@described(
    "a holiday",
    "the holidays of your websites and groups",
    who="Managers those of their groups, administrators all.",
)
class HolidayViewSet(SettingViewSet):
    noun = "groups"
    model = Holiday
    serializer_class = HolidaySerializer
    filters = WebsiteFilterSerializer

    def rows(self) -> QuerySet[Holiday]:
        groups = rights.groups_of(self.user).order_by().values("pk")
        websites = rights.websites_of(self.user).order_by().values("pk")
        mine = Q(group__in=groups) | Q(group=None, website__in=websites)
        return Holiday.objects.filter(mine).select_related("website", "group")

    def may_add(self) -> bool:
        return rights.steers(self.user)

    def may_change(self, row: Holiday) -> bool:
        if row.group_id is None:
            return rights.administers(self.user)
        return (
            rights.steers(self.user)
            and rights.groups_of(self.user).filter(pk=row.group_id).exists()
        )

    def write(self, row: Holiday, values: dict[str, Any]) -> None:
        group, website = values.get("group", row.group), values.get("website")
        if group is None and not rights.administers(self.user):
            raise Invalid({"group": _("Choose one of your groups.")})
        if group is not None and website is not None and group.website_id != website.pk:
            raise Invalid({"group": _("This group belongs to another website.")})
        assign(row, values)
        changes.website_changed(row.website_id)

    def remove(self, row: Holiday) -> None:
        row.delete()
        changes.website_changed(row.website_id)
