"""Administration of conversations, messages and the ledger. Read-only: the lifecycle writes."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import supervision
from accounts.logins.reauthentication import AsksAgain
from accounts.models import User
from accounts.rights import ForAdministrators, ForOverseers, OverseenWebsites, ReadOnly
from accounts.server_forms import ServerForm
from accounts.widgets import SecretField, SecretInput
from conversations.language_models import admin as _language_models  # noqa: F401 - registers them
from conversations.mirroring import admin as _looks  # noqa: F401 - registers them
from conversations.models import (
    Block,
    Consent,
    Contact,
    Conversation,
    Erasure,
    Event,
    Message,
    Person,
    SuggestionSettings,
    Survey,
    SurveyOmission,
    Visitor,
)
from conversations.privacy import personal_data
from conversations.reasons import admin as _tags  # noqa: F401 - registers them
from conversations.suggestions import remote
from conversations.visitors import blocks


class EventInline(ReadOnly, admin.TabularInline):
    model = Event
    fields = ("at", "verb", "actor_kind", "to_status", "agent", "group", "deadline_at", "data")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return super().get_queryset(request).select_related("agent", "group")


class ContactInline(ReadOnly, admin.TabularInline):
    model = Contact
    fields = ("agent", "group", "channel", "queued_at", "started_at", "ended_at", "end_reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).select_related("agent", "group")


class MessageInline(ReadOnly, admin.TabularInline):
    model = Message
    fields = ("seq", "created_at", "author", "agent", "body")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).select_related("agent")


class OmissionInline(ReadOnly, admin.TabularInline):
    """Why there was no survey (B11)."""

    model = SurveyOmission
    fields = ("at", "reason", "agent", "group")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SurveyOmission]:
        return super().get_queryset(request).select_related("agent", "group")


class SurveyInline(ReadOnly, admin.TabularInline):
    model = Survey
    fields = ("offered_at", "answered_at", "csat", "nps", "comment", "agent", "group")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Survey]:
        return super().get_queryset(request).select_related("agent", "group")


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("__str__", "website", "status", "channel", "agent", "group", "opened_at")
    list_filter = ("status", "channel", "website")
    list_select_related = ("website", "agent", "group")
    search_fields = ("=id", "=public_id")
    date_hierarchy = "opened_at"
    # Counters and other columns for the figures are left out.
    fieldsets = (
        (None, {"fields": ("website", "visitor", "status", "channel", "style", "language")}),
        (
            _("Origin"),
            {"fields": ("page_url", "rule", "is_asynchronous", "solved_window")},
        ),
        (
            _("Assignment"),
            {"fields": ("queue", "group", "agent", "required_skills", "skill_patience")},
        ),
        (
            _("Dates"),
            {
                "fields": (
                    "opened_at",
                    "queued_at",
                    "moved_at",
                    "deadline_at",
                    "deadline_kind",
                    "closed_at",
                    "closed_by",
                    "close_reason",
                )
            },
        ),
    )
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = (EventInline, ContactInline, SurveyInline, OmissionInline, MessageInline)
    show_full_result_count = False  # Counting millions of rows would dominate the response time.


@admin.register(Event)
class EventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "at", "conversation", "verb", "actor_kind", "to_status", "agent")
    list_filter = ("verb", "actor_kind")
    list_select_related = ("conversation", "agent")
    search_fields = ("=conversation__id",)
    show_full_result_count = False


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("__str__", "created_at", "author", "agent", "body")
    list_filter = ("author",)
    list_select_related = ("agent",)
    search_fields = ("=conversation__id",)
    show_full_result_count = False


class OfSomebody(AsksAgain, ReadOnly):
    """A mixin for data subjects, whom administrators can export or erase (B13)."""

    show_full_result_count = False

    def subject(self, row: Any) -> personal_data.Subject:
        """Return the data subject of a row."""
        raise NotImplementedError

    @admin.action(description=_("Export stored data as JSON"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        copies = [personal_data.export(self.subject(row)) for row in queryset]
        response = JsonResponse(copies, safe=False, json_dumps_params={"ensure_ascii": False})
        response["Content-Disposition"] = 'attachment; filename="personal-data.json"'
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description=_("Erase permanently"), permissions=["view"])
    def erase(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        subjects = {subject.hash: subject for subject in map(self.subject, queryset)}
        model_admin: Any = self
        if "confirmed" not in request.POST:
            context = model_admin.admin_site.each_context(request) | {
                "title": _("Erase permanently"),
                "opts": model_admin.opts,
                "rows": queryset,
                "subjects": [
                    (one, personal_data.export(one)["tables"]) for one in subjects.values()
                ],
                "checkbox": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "admin/erase.html", context)
        for subject in subjects.values():
            try:
                personal_data.erase(subject, by=cast(User, request.user), at=timezone.now())
            except personal_data.StillOpen as still_open:
                text = _("Close these conversations first: %(numbers)s")
                message = text % {"numbers": still_open}
                model_admin.message_user(request, message, messages.ERROR)
            else:
                message = _("%(name)s was erased.") % {"name": subject.name}
                model_admin.message_user(request, message, messages.SUCCESS)
        return None


@admin.register(Person)
class PersonAdmin(OfSomebody, admin.ModelAdmin):
    actions = ("export", "erase")
    list_display = ("external_id", "name", "website", "created_at")
    list_filter = ("website",)
    list_select_related = ("website",)
    search_fields = ("=external_id", "name")
    fields = ("website", "external_id", "name", "profile", "created_at")

    def subject(self, row: Person) -> personal_data.Subject:
        return personal_data.of_person(row)


class ConsentInline(ReadOnly, admin.TabularInline):
    """The proof of consent (R26)."""

    model = Consent
    fields = ("given_at", "kind", "version", "language", "text", "text_sha256")


@admin.register(Visitor)
class VisitorAdmin(OfSomebody, admin.ModelAdmin):
    actions = ("export", "erase")
    list_display = ("called", "public_id", "website", "person", "created_at")
    list_filter = ("website",)
    list_select_related = ("website", "person")
    search_fields = ("=public_id", "name", "=address__email")
    fields = ("website", "public_id", "person", "name", "language", "created_at", "hidden_at")
    inlines = (ConsentInline,)

    @admin.display(description=_("name"))
    def called(self, row: Visitor) -> str:
        return row.shown_name

    def subject(self, row: Visitor) -> personal_data.Subject:
        return personal_data.of_visitor(row)


@admin.register(Erasure)
class ErasureAdmin(ReadOnly, admin.ModelAdmin):
    """The record of erasures: when and by whom, without the identity of the erased person."""

    list_display = ("erased_at", "website", "erased_by", "subject")
    list_filter = ("website",)
    list_select_related = ("website", "erased_by")


class BlockState(admin.SimpleListFilter):
    """Blocks in force, or those that were lifted or have ended."""

    title = _("state")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return [("in_force", _("In force")), ("over", _("Lifted or ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Block]) -> QuerySet[Block]:
        in_force = blocks.holds(timezone.now())
        if self.value() == "in_force":
            return queryset.filter(in_force)
        return queryset.exclude(in_force) if self.value() == "over" else queryset


@admin.register(Block)
class BlockAdmin(ForOverseers, admin.ModelAdmin):
    """Blocks and lifting them (R58). Managers see those of conversations that they oversee; without
    a conversation, a block belongs to the whole website."""

    list_display = (
        "visitor",
        "website",
        "reason",
        "blocked_at",
        "until",
        "blocked_by",
        "lifted_at",
    )
    list_filter = (("website", OverseenWebsites), BlockState)
    list_select_related = ("visitor", "website", "blocked_by")
    search_fields = ("reason", "visitor__name")
    actions = ("lift",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Block]:
        overseen = supervision.of(cast(User, request.user)).rows(group="conversation__group")
        return super().get_queryset(request).filter(overseen)

    def has_add_permission(self, request: HttpRequest, obj: Block | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Block | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Block | None = None) -> bool:
        return False

    @admin.action(description=_("Unblock these visitors"), permissions=["view"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Block]) -> None:
        count = blocks.lift(queryset, by=request.user, at=timezone.now())  # type: ignore[arg-type]
        text = ngettext("%(count)d block lifted.", "%(count)d blocks lifted.", count)
        self.message_user(request, text % {"count": count})


class SuggestionSettingsForm(ServerForm):
    address, secret = "provider_url", "provider_secret"
    check = staticmethod(remote.check)

    class Meta:
        model = SuggestionSettings
        fields = ("website", "is_on", "provider_url", "provider_secret", "sends_personal_data")
        field_classes = {"provider_secret": SecretField}
        widgets = {"provider_secret": SecretInput}


@admin.register(SuggestionSettings)
class SuggestionSettingsAdmin(AsksAgain, ForAdministrators, admin.ModelAdmin):
    """Whether replies are suggested, and the website's own provider (R185)."""

    form = SuggestionSettingsForm
    list_display = ("website", "is_on", "provider_url", "sends_personal_data")
    list_select_related = ("website",)
