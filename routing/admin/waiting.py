"""The reason why a conversation waits, in the administration."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from conversations.admin import ConversationAdmin
from conversations.lifecycle.transitions import WAITING
from conversations.models import Conversation
from routing.waits import queries

# The admin of the room below knows nothing of distribution: replace it.
admin.site.unregister(Conversation)


@admin.register(Conversation)
class ExplainedConversationAdmin(ConversationAdmin):
    readonly_fields = ("why",)

    def get_fieldsets(self, request: HttpRequest, obj: Conversation | None = None) -> Any:
        # The explanation costs several queries, so only conversations that wait have it.
        parts = super().get_fieldsets(request, obj)
        if obj is None or obj.status not in WAITING:
            return parts
        return ((None, {"fields": ("why",)}), *parts)

    @admin.display(description=_("why it waits"))
    def why(self, conversation: Conversation) -> SafeString:
        mine = Conversation.objects.filter(pk=conversation.pk)
        zone = conversation.website.zone
        explanations = queries.explained(mine, at=timezone.now(), zone=zone)
        return render_to_string(
            "routing/_explanation.html", {"explanation": explanations[0] if explanations else None}
        )
