"""Administration of tags: administrators and managers name those of their websites."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.rights import OverseenWebsites, PartForOverseers, websites_of
from conversations.lifecycle import actors
from conversations.models import Conversation, Tag
from conversations.reasons import catalogue
from core.rejection import Rejected


class TagState(admin.SimpleListFilter):
    """Tags in use, which are shown first, or archived ones."""

    title = _("state")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return [("offered", _("In use")), ("archived", _("Archived"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Tag]) -> QuerySet[Tag]:
        if self.value() == "offered":
            return queryset.filter(archived_at=None)
        return queryset.exclude(archived_at=None) if self.value() == "archived" else queryset


@admin.register(Tag)
class TagAdmin(PartForOverseers, admin.ModelAdmin):
    """Tags and what becomes of them. One that is on conversations cannot be deleted."""

    list_display = ("name", "category", "website", "colour", "conversations", "state")
    list_filter = (("website", OverseenWebsites), TagState)
    list_select_related = ("website", "merged_into")
    search_fields = ("name", "category", "description")
    fields = ("website", "name", "category", "colour", "description")
    actions = ("archive", "restore", "merge")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        overseen = catalogue.changeable_by(cast(User, request.user))
        rows = super().get_queryset(request).filter(pk__in=overseen.order_by().values("pk"))
        # Managers of one team learn nothing of another's conversations, not even their number.
        seen = Conversation.objects.visible_to(cast(User, request.user)).order_by().values("pk")
        in_sight = Q(marks__conversation__in=seen)
        counted: QuerySet[Tag] = rows.annotate(uses=Count("marks", filter=in_sight))
        return counted

    def get_readonly_fields(self, request: HttpRequest, obj: Tag | None = None) -> Any:
        # Its conversations belong to its website.
        return ("website",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "website":
            kwargs["queryset"] = websites_of(request.user).order_by("name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description=_("conversations"), ordering="uses")
    def conversations(self, tag: Tag) -> int:
        """Count the conversations that have it."""
        return int(getattr(tag, "uses", 0))

    @admin.display(description=_("state"), ordering="archived_at")
    def state(self, tag: Tag) -> Any:
        if tag.merged_into is not None:
            return _("merged into “%(name)s”") % {"name": tag.merged_into.name}
        return _("archived") if tag.archived_at else _("in use")

    @admin.action(description=_("Archive these tags"), permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Tag]) -> None:
        now, count = timezone.now(), 0
        for tag in queryset.filter(archived_at=None):
            catalogue.archive(tag, at=now)
            count += 1
        text = ngettext("%(count)d tag archived.", "%(count)d tags archived.", count)
        self.message_user(request, text % {"count": count})

    @admin.action(description=_("Use these tags again"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Tag]) -> None:
        for tag in queryset.exclude(archived_at=None):
            try:
                catalogue.restore(tag)
            except Rejected as rejected:
                self.message_user(request, f"{tag}: {rejected.text}", messages.ERROR)
            else:
                sentence = _("“%(name)s” can be used again.") % {"name": tag}
                self.message_user(request, sentence, messages.SUCCESS)

    @admin.action(description=_("Merge into another tag…"), permissions=["change"])
    def merge(self, request: HttpRequest, queryset: QuerySet[Tag]) -> HttpResponse | None:
        """Ask for the tag that remains, then merge the chosen ones into it."""
        chosen = list(queryset.filter(merged_into=None))
        websites = {tag.website_id for tag in chosen}
        if len(websites) != 1:
            sentence = _("Choose tags of one website that were not merged yet.")
            self.message_user(request, sentence, messages.ERROR)
            return None
        others = catalogue.offered_on(websites.pop()).exclude(pk__in=[tag.pk for tag in chosen])
        into = request.POST.get("into", "")
        target = others.filter(pk=into).first() if into.isdecimal() and len(into) < 19 else None
        if target is None:
            context = self.admin_site.each_context(request) | {
                "title": _("Merge tags"),
                "opts": self.opts,
                "tags": chosen,
                "others": others,
                "checkbox": ACTION_CHECKBOX_NAME,
                "is_missing": "into" in request.POST,
            }
            return TemplateResponse(request, "admin/conversations/tag/merge.html", context)
        actor, now = actors.manager(cast(User, request.user)), timezone.now()
        count = sum(catalogue.merge(tag, into=target, actor=actor, at=now) for tag in chosen)
        text = ngettext(
            "%(count)d conversation moved to “%(name)s”.",
            "%(count)d conversations moved to “%(name)s”.",
            count,
        )
        self.message_user(request, text % {"count": count, "name": target}, messages.SUCCESS)
        return None
