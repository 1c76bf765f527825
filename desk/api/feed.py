"""The change feed in the API: what happened to the conversations that the user may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from conversations import feed
from conversations.messages import sending
from conversations.models import Conversation, Event, FeedEntry, Message
from desk.api.refusal import checked
from desk.api.serializers import EventSerializer, MessageSerializer
from desk.timeline import names_of

PAGE = 200


class Gone(APIException):
    """The reader was away for so long that entries may be missing."""

    status_code = 410
    problem_code = "expired"


class AskedSerializer(serializers.Serializer[Any]):
    after = serializers.CharField(
        required=False,
        default="",
        help_text="The `next` of the answer before. Empty: from the oldest; `now`: what comes.",
    )
    limit = serializers.IntegerField(required=False, default=PAGE, min_value=1, max_value=PAGE)


class EntrySerializer(serializers.Serializer[Any]):
    """A line of the ledger (`event`) or a `message`."""

    cursor = serializers.CharField()
    type = serializers.ChoiceField(choices=["event", "message"])
    conversation = serializers.IntegerField()
    website = serializers.CharField(help_text="The website's key.")
    event = EventSerializer(required=False)
    message = MessageSerializer(required=False)


class FeedSerializer(serializers.Serializer[Any]):
    results = EntrySerializer(many=True)
    next = serializers.CharField(help_text="Ask for what comes after this.")
    has_more = serializers.BooleanField(help_text="Whether to ask again at once.")


@extend_schema(tags=["events"])
class FeedView(APIView):
    noun = "events"

    @extend_schema(parameters=[AskedSerializer], responses=FeedSerializer)
    def get(self, request: Request) -> Response:
        """Read what happened to the conversations that you may see, each entry exactly once and
        those of a conversation in its own order. Store `next` with what you have handled. Answers
        410 `expired` if you were away for 90 days."""
        asked = checked(request, AskedSerializer)
        if asked["after"] == "now":
            return Response({"results": [], "next": str(feed.now()), "has_more": False})
        try:
            cursor = feed.parse(asked["after"]) if asked["after"] else feed.Cursor()
            rows = list(feed.after(cursor)[: asked["limit"]])
        except feed.Malformed:
            raise ValidationError({"after": [_("This is not a cursor of the feed.")]}) from None
        except feed.Expired:
            raise Gone(
                _("Older changes are no longer available. Start from the beginning.")
            ) from None
        last = feed.of(rows[-1]) if rows else cursor
        return Response(
            {
                "results": shown(rows, cast(User, request.user)),
                "next": str(last),
                "has_more": len(rows) == asked["limit"],
            }
        )


def shown(rows: Sequence[FeedEntry], user: User) -> list[dict[str, Any]]:
    """Return those of the entries whose conversations ``user`` may see, with their content. One
    whose row was erased is left out."""
    ids = {row.conversation_id for row in rows}
    seen = Conversation.objects.visible_to(user).filter(pk__in=ids)
    keys: dict[int, str] = dict(seen.values_list("pk", "website__key"))
    visible = [row for row in rows if row.conversation_id in keys]
    events = Event.objects.select_related("agent", "group").in_bulk(
        [row.event_id for row in visible if row.event_id]
    )
    messages = Message.objects.select_related("agent", "attachment").in_bulk(
        [row.message_id for row in visible if row.message_id]
    )
    context = {"names": names_of(events.values())}
    entries: list[dict[str, Any]] = []
    for row in visible:
        entry: dict[str, Any] = {
            "cursor": str(feed.of(row)),
            "type": "event" if row.event_id else "message",
            "conversation": row.conversation_id,
            "website": keys[row.conversation_id],
        }
        if row.event_id in events:
            event = events[row.event_id]
            entries.append(entry | {"event": EventSerializer(event, context=context).data})
        elif row.message_id in messages:
            entries.append(entry | {"message": sending.frame_of(messages[row.message_id])})
    return entries
