"""Administration of e-mails to visitors and their replies, read only, and of the sender's name."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.rights import ForAdministrators, ReadOnly
from messenger.channels import admin as _channels  # noqa: F401 - registers inboxes
from messenger.knowledge import admin as _articles  # noqa: F401 - registers them
from messenger.models import Attempt, Mail, Reply, Sender


@admin.register(Sender)
class SenderAdmin(ForAdministrators, admin.ModelAdmin):
    list_display = ("website", "is_on", "name", "email")
    list_select_related = ("website",)


class AttemptInline(ReadOnly, admin.TabularInline):
    model = Attempt
    fields = ("begun_at", "ended_at", "was_accepted", "answer")


@admin.register(Mail)
class MailAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("created_at", "conversation", "kind", "to", "status", "tries", "why")
    list_filter = ("status", "kind", "conversation__website")
    list_select_related = ("conversation",)
    search_fields = ("=conversation__id", "=to")
    fields = ("conversation", "kind", "to", "status", "why", "created_at", "due_at", "ended_at")
    inlines = (AttemptInline,)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mail]:
        mails: QuerySet[Mail] = super().get_queryset(request)
        return mails.annotate(tries=Count("attempts"))

    @admin.display(description=_("attempts"))
    def tries(self, mail: Mail) -> int:
        counted: int = getattr(mail, "tries", 0)
        return counted

    @admin.display(description=_("reason"))
    def why(self, mail: Mail) -> str:
        return gettext(mail.reason) if mail.reason else ""


@admin.register(Reply)
class ReplyAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("received_at", "conversation", "sender", "outcome", "why")
    fields = ("conversation", "received_at", "sender", "message_id", "outcome", "why", "whole")
    list_filter = ("outcome",)
    list_select_related = ("conversation",)
    search_fields = ("=conversation__id", "=sender", "=message_id")
    show_full_result_count = False

    @admin.display(description=_("full e-mail"))
    def whole(self, reply: Reply) -> str:
        """Link to the file of an e-mail from the visitor, even if it became no message."""
        if reply.email_id is None:
            return "-"
        address = reverse("email_file", args=[reply.conversation_id, reply.email_id])
        return format_html('<a href="{}">{}</a>', address, gettext("Download"))

    @admin.display(description=_("reason"))
    def why(self, reply: Reply) -> str:
        return gettext(reply.reason) if reply.reason else ""
