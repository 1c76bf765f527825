"""Administration of groups and agents, where managers steer what is theirs (C39). What is saved is
published in the same transaction, so that queues drain at once (R216)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import ManyToManyField, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.admin import ForOverseers
from accounts.models import Agent, AgentChannel, Group
from routing import changes


class ChannelInline(ForOverseers, admin.TabularInline):
    """The slots of an agent, which managers set (R169, C39)."""

    model = AgentChannel
    fields = ("channel", "slots")
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


@admin.register(Agent)
class AgentAdmin(ForOverseers, admin.ModelAdmin):
    list_display = ("display_name", "user", "group_names")
    search_fields = ("display_name", "user__username")
    inlines = (ChannelInline,)

    @admin.display(description=gettext_lazy("groups"))
    def group_names(self, agent: Agent) -> str:
        return ", ".join(group.name for group in agent.groups.all())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        agents = super().get_queryset(request).select_related("user").prefetch_related("groups")
        return agents.filter(pk__in=_agents_of(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if request.user.administers else ("user",)  # type: ignore[union-attr]

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        changes.agent_changed(form.instance.pk)


@admin.register(Group)
class GroupAdmin(ForOverseers, admin.ModelAdmin):
    list_display = ("name", "website", "answer_seconds", "release_minutes")
    list_filter = ("website",)
    filter_horizontal = ("members", "managers")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        groups = super().get_queryset(request)
        if request.user.administers:  # type: ignore[union-attr]
            return groups
        return groups.filter(managers=request.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if request.user.administers:  # type: ignore[union-attr]
            return ()
        return ("website", "name", "managers")

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "members":
            kwargs["queryset"] = _agents_of(request)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool
    ) -> None:
        before = set(form.instance.members.values_list("pk", flat=True))
        super().save_related(request, form, formsets, change)
        after = set(form.instance.members.values_list("pk", flat=True))
        changes.group_changed(form.instance.pk)
        for agent_id in before ^ after:
            changes.agent_changed(agent_id)


def _agents_of(request: HttpRequest) -> QuerySet[Agent]:
    """All agents for administrators; for managers, those of the websites of their groups."""
    user = request.user
    if user.administers:  # type: ignore[union-attr]
        return Agent.objects.all()
    mine = Q(groups__website__groups__managers=user.pk)
    return Agent.objects.filter(pk__in=Agent.objects.filter(mine).values("pk"))
