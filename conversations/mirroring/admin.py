"""Administration of looks at visitors' pages and of co-browsing. Read-only."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import moments, supervision
from accounts.models import User
from accounts.rights import ForOverseers, OverseenWebsites, ReadOnly
from conversations import page_links
from conversations.models import (
    CobrowsingAct,
    CobrowsingSession,
    LookPart,
    LookReplay,
    MirrorLook,
)


class ReplayInline(ReadOnly, ForOverseers, admin.TabularInline):
    """Who replayed what was stored of the look."""

    model = LookReplay
    fields = ("at", "user")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LookReplay]:
        return super().get_queryset(request).select_related("user").order_by("pk")


@admin.register(MirrorLook)
class MirrorLookAdmin(ReadOnly, ForOverseers, admin.ModelAdmin):
    """Who looked at visitors' pages, when and how long (R59). Managers see the looks in
    conversations that they oversee."""

    list_display = (
        "conversation",
        "agent",
        "began_at",
        "length",
        "end",
        "stored",
        "website",  # On narrow screens the last columns are beyond the edge.
        "group",
    )
    list_filter = (("conversation__website", OverseenWebsites), "end")
    list_select_related = ("agent", "conversation__website", "conversation__group")
    search_fields = ("=conversation__id", "agent__display_name", "conversation__visitor__name")
    date_hierarchy = "began_at"
    fields = ("conversation", "agent", "began_at", "ended_at", "end", "stored")
    inlines = (ReplayInline,)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[MirrorLook]:
        overseen = supervision.of(cast(User, request.user)).rows(
            website="conversation__website", group="conversation__group"
        )
        parts = LookPart.objects.filter(look=OuterRef("pk"))
        looks = super().get_queryset(request).filter(overseen)
        found: QuerySet[MirrorLook] = looks.annotate(is_stored=Exists(parts))
        return found

    @admin.display(description=_("stored"))
    def stored(self, look: Any) -> str:
        if not look.is_stored or look.ended_at is None:
            return ""
        return format_html('<a href="{}">{}</a>', page_links.LOOK.url(look.pk), gettext("Replay"))

    @admin.display(description=_("website"), ordering="conversation__website")
    def website(self, look: MirrorLook) -> str:
        return str(look.conversation.website)

    @admin.display(description=_("group"))
    def group(self, look: MirrorLook) -> str:
        return str(look.conversation.group or "")

    @admin.display(description=_("length"))
    def length(self, look: MirrorLook) -> str:
        return moments.duration(look.lasted) if look.ended_at else gettext("in progress")


class ActInline(ReadOnly, ForOverseers, admin.TabularInline):
    model = CobrowsingAct
    fields = ("number", "at", "kind", "target", "outcome")
    ordering = ("number",)


@admin.register(CobrowsingSession)
class CobrowsingSessionAdmin(ReadOnly, ForOverseers, admin.ModelAdmin):
    """Who asked to act on visitors' pages, what the visitor answered, and each action (R191).
    Managers see the sessions in conversations that they oversee."""

    list_display = (
        "conversation",
        "agent",
        "website",
        "group",
        "asked_at",
        "accepted_at",
        "ended_at",
        "end",
        "actions_done",
    )
    list_filter = (("conversation__website", OverseenWebsites), "end")
    list_select_related = ("agent", "conversation__website", "conversation__group")
    search_fields = ("=conversation__id", "agent__display_name", "conversation__visitor__name")
    date_hierarchy = "asked_at"
    fields = ("conversation", "agent", "allowed", "asked_at", "accepted_at", "ended_at", "end")
    inlines = (ActInline,)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[CobrowsingSession]:
        overseen = supervision.of(cast(User, request.user)).rows(
            website="conversation__website", group="conversation__group"
        )
        sessions = super().get_queryset(request).filter(overseen)
        found: QuerySet[CobrowsingSession] = sessions.annotate(n=Count("acts"))
        return found

    @admin.display(description=_("website"), ordering="conversation__website")
    def website(self, session: CobrowsingSession) -> str:
        return str(session.conversation.website)

    @admin.display(description=_("group"))
    def group(self, session: CobrowsingSession) -> str:
        return str(session.conversation.group or "")

    @admin.display(description=_("actions"))
    def actions_done(self, session: Any) -> int:
        return int(session.n)
