"""Administration of groups and agents; managers administer their own (C39)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import ManyToManyField, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import rights
from accounts.admin import StaffUserAdmin
from accounts.models import Agent, AgentChannel, Group, Holiday, Role, Skill, User
from accounts.models.hours import set_weekly_hours, weekly_hours
from accounts.rights import ForOverseers, OverseenWebsites, PartForOverseers
from accounts.week_field import WeekField
from accounts.widgets import CheckboxList
from routing import changes, parts
from routing.admin.saving import Published

FROM_TO = {"opens": _("Opens at"), "closes": _("Closes at")}


@admin.register(User)
class AccountAdmin(Published, StaffUserAdmin):
    """Accounts and roles; saving one reclaims what the user may no longer have (C51)."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).filter(is_service=False)

    def published(self, user: User) -> None:
        changes.account_changed(user.pk)

    def removed(self, user: User) -> None:
        """Do nothing: a user who has conversations cannot be deleted."""


class ChannelInline(PartForOverseers, admin.TabularInline):
    """The slots of an agent, which managers set (R169, C39)."""

    model = AgentChannel
    fields = ("channel", "slots")
    extra = 0


class AgentForm(forms.ModelForm):
    """An agent with groups and skills. A user who oversees some of them changes only those."""

    groups = forms.ModelMultipleChoiceField(
        label=_("Groups"),
        queryset=Group.objects.none(),
        required=False,
        widget=CheckboxList(_("Groups")),
    )

    class Meta:
        model = Agent
        fields = ("user", "display_name", "skills", "languages")

    # Set by AgentAdmin.get_form, to what the reader oversees.
    own_groups: QuerySet[Group] = Group.objects.none()
    own_skills: QuerySet[Skill] = Skill.objects.none()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups: Any = self.fields["groups"]
        groups.queryset = self.own_groups.select_related("website").order_by("website", "name")
        groups.label_from_instance = _with_website
        if self.instance.pk:
            groups.initial = self.own_groups.filter(members=self.instance)
        if "skills" in self.fields:
            skills: Any = self.fields["skills"]
            skills.queryset = self.own_skills.select_related("website")
            skills.label_from_instance = _with_website

    def clean_skills(self) -> list[Skill]:
        chosen = list(self.cleaned_data["skills"])
        if self.instance.pk:
            chosen += self.instance.skills.exclude(pk__in=self.own_skills.values("pk"))
        return chosen

    def let_in(self) -> set[int]:
        """Apply the ticked groups; return those that gained or lost the agent."""
        chosen = self.cleaned_data["groups"]
        return parts.set_groups(self.instance, chosen, among=self.own_groups)


def _with_website(one: Group | Skill) -> str:
    return f"{one.website} · {one}"


@admin.register(Agent)
class AgentAdmin(ForOverseers, Published, admin.ModelAdmin):
    """Slots for each channel, skills and groups. Managers see the members of their groups."""

    form = AgentForm
    list_display = ("display_name", "user", "group_names", "slots")
    list_filter = ("groups__website",)
    search_fields = ("display_name", "user__username")
    inlines = (ChannelInline,)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.own_groups = rights.groups_of(request.user)
        form.own_skills = Skill.objects.filter(website__in=rights.websites_of(request.user))
        return form

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("user", "display_name", "groups", "skills", "languages")

    @admin.display(description=_("groups"))
    def group_names(self, agent: Agent) -> str:
        return ", ".join(group.name for group in agent.shown_groups)  # type: ignore[attr-defined]

    @admin.display(description=_("slots"))
    def slots(self, agent: Agent) -> str:
        return ", ".join(f"{row.get_channel_display()} {row.slots}" for row in agent.channels.all())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        shown = Prefetch("groups", rights.groups_of(request.user), to_attr="shown_groups")
        agents = super().get_queryset(request).select_related("user")
        mine = rights.agents_of(request.user)
        return agents.prefetch_related(shown, "channels").filter(pk__in=mine)

    def get_list_filter(self, request: HttpRequest) -> tuple[str, ...]:
        return self.list_filter if rights.administers(request.user) else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if rights.administers(request.user) else ("user",)

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool
    ) -> None:
        assert isinstance(form, AgentForm)
        for group_id in form.let_in():
            changes.group_changed(group_id)
        super().save_related(request, form, formsets, change)

    def published(self, agent: Agent) -> None:
        changes.agent_changed(agent.pk)


class GroupForm(forms.ModelForm):
    """A group with its weekly hours in one grid, which is saved as shown."""

    week = WeekField(label=_("Weekly hours"))

    class Meta:
        model = Group
        fields = (
            "website",
            "name",
            "members",
            "managers",
            "time_zone",
            "keeps_places_when_closed",
            "answer_seconds",
            "release_minutes",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django fills a new form from the query string; a week is not given there.
        self.initial["week"] = weekly_hours(self.instance) if self.instance.pk else ()

    def set_hours(self) -> None:
        if "week" in self.changed_data:
            set_weekly_hours(self.instance, self.cleaned_data["week"])


class HolidayForm(forms.ModelForm):
    """A special day of one group, and so of the group's website."""

    class Meta:
        model = Holiday
        fields = ("date", "name", "opens", "closes")
        labels = FROM_TO

    def clean(self) -> dict[str, Any]:
        self.instance.website_id = self.instance.group.website_id
        return super().clean() or self.cleaned_data


class HolidayInline(PartForOverseers, admin.TabularInline):
    """Special days of this group; those of its website apply as well."""

    model = Holiday
    form = HolidayForm
    extra = 0


@admin.register(Group)
class GroupAdmin(ForOverseers, Published, admin.ModelAdmin):
    """Members, opening hours and holidays, which managers edit; timers, which they only read."""

    list_display = ("name", "website", "size", "answer_seconds", "release_minutes")
    list_filter = (("website", OverseenWebsites),)
    search_fields = ("name",)
    form = GroupForm
    inlines = (HolidayInline,)
    fieldsets = (
        (None, {"fields": ("website", "name", "members", "managers")}),
        (_("Opening hours"), {"fields": ("time_zone", "week", "keeps_places_when_closed")}),
        (_("Timers"), {"fields": ("answer_seconds", "release_minutes")}),
    )
    # Reserved for administrators (C39).
    reserved = (
        "website",
        "name",
        "managers",
        "keeps_places_when_closed",
        "answer_seconds",
        "release_minutes",
    )

    @admin.display(description=_("members"))
    def size(self, group: Group) -> int:
        return len(group.members.all())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        groups = super().get_queryset(request).select_related("website").prefetch_related("members")
        return groups.filter(pk__in=rights.groups_of(request.user))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if rights.administers(request.user):
            return ("website",) if obj else ()  # its rules and conversations are on that website
        return self.reserved

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "members":
            kwargs["queryset"] = rights.candidates_of(request.user)
        if db_field.name == "managers":
            overseers = ~Q(role__in=[Role.AGENT, Role.EXPERT]) | Q(is_superuser=True)
            kwargs["queryset"] = User.objects.filter(overseers)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool
    ) -> None:
        assert isinstance(form, GroupForm)
        form.set_hours()
        # Read here: ``super`` replaces the members.
        before = set(form.instance.members.values_list("pk", flat=True))
        super().save_related(request, form, formsets, change)
        after = set(form.instance.members.values_list("pk", flat=True))
        for agent_id in before ^ after:
            changes.agent_changed(agent_id)

    def published(self, group: Group) -> None:
        changes.group_changed(group.pk)

    def going(self, group: Group) -> None:
        group.members_before = list(group.members.values_list("pk", flat=True))  # type: ignore[attr-defined]

    def removed(self, group: Group) -> None:
        changes.group_removed(group.website_id, group.members_before)  # type: ignore[attr-defined]
