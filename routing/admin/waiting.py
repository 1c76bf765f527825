"""A conversation in the administration says why it waits."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from conversations.admin import ConversationAdmin
from conversations.models import Conversation
from conversations.transitions import WAITING
from routing import waiting

# The room below keeps conversations and knows nothing of who may take them.
admin.site.unregister(Conversation)


@admin.register(Conversation)
class ExplainedConversationAdmin(ConversationAdmin):
    readonly_fields = ("why",)

    def get_fields(self, request: HttpRequest, obj: Conversation | None = None) -> Any:
        names = [name for name in super().get_fields(request, obj) if name != "why"]
        return ["why", *names] if obj is not None and obj.status in WAITING else names

    @admin.display(description=_("why it waits"))
    def why(self, conversation: Conversation) -> SafeString:
        mine = Conversation.objects.filter(pk=conversation.pk)
        zone = conversation.website.zone
        found = waiting.explained(mine, at=timezone.now(), zone=zone)
        return render_to_string("routing/explanation.html", {"found": found[0] if found else None})
