"""Conversations in the public API: lists, the reason of a wait, and messages."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.access import zone_of
from accounts.models import User
from conversations.lifecycle.transitions import Status
from conversations.messages.rich_content import check_rich_content
from conversations.models import Conversation
from core.rejection import Rejected
from routing.actions import by_program
from routing.waits import queries
from routing.waits.reasons import Explanation


class NotWaiting(APIException):
    """The conversation does not wait, so there is nothing to explain."""

    status_code = 409
    default_code = "refused"


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    """A conversation. ``number`` is the number that agents see."""

    number = serializers.IntegerField(source="pk", read_only=True)
    website = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    group = serializers.SlugRelatedField[Any](slug_field="name", read_only=True)
    agent = serializers.SlugRelatedField[Any](slug_field="display_name", read_only=True)

    class Meta:
        model = Conversation
        fields = (
            "number",
            "website",
            "status",
            "channel",
            "language",
            "is_asynchronous",
            "is_return",
            "group",
            "agent",
            "opened_at",
            "queued_at",
            "closed_at",
        )
        read_only_fields = fields


class FillSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    group = serializers.CharField()
    places = serializers.IntegerField(allow_null=True)
    waiting = serializers.IntegerField()
    returned = serializers.IntegerField()


class ReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class CandidateSerializer(serializers.Serializer[Any]):
    agent_id = serializers.IntegerField()
    name = serializers.CharField()
    is_able = serializers.BooleanField()
    reasons = ReasonSerializer(many=True)


class ExplanationSerializer(serializers.Serializer[Explanation]):
    """Why a conversation waits, as text in the language of the request and as data."""

    number = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["queued", "assigned"])
    summary = serializers.CharField()
    is_fault = serializers.BooleanField(
        help_text="An agent is free, but the conversation still waits. The safety sweep pushes it."
    )
    rank = serializers.IntegerField()
    rank_text = serializers.CharField()
    waits_since = serializers.DateTimeField()
    queue = FillSerializer(source="fill")
    queue_text = serializers.CharField(source="fill_text", help_text="103/100, 3 returned")
    agents = CandidateSerializer(source="candidates", many=True)
    remedies = serializers.ListField(child=serializers.CharField())
    deadline_at = serializers.DateTimeField(allow_null=True)
    seconds_left = serializers.SerializerMethodField()

    def get_seconds_left(self, found: Explanation) -> int | None:
        return None if found.time_left is None else int(found.time_left.total_seconds())


class QuerySerializer(serializers.Serializer[Any]):
    """The filters of the list. Other parameters are ignored."""

    status = serializers.ChoiceField(choices=[(s.value, s.value) for s in Status], required=False)


class OfferSerializer(serializers.Serializer[Any]):
    """A message from an agent or a bot, with choices and cards. A choice that the visitor presses
    comes back once, as their own message."""

    id = serializers.UUIDField(
        help_text="Your own id for the message. Sending it again changes nothing."
    )
    body = serializers.CharField(required=False, allow_blank=True)
    choices = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="At most 8, each 80 characters."
    )
    cards = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="At most 6: {title, text, image, links: [{text, url}]}; images from the "
        "website's own domains.",
    )


class Refusal(APIException):
    """A message that was not accepted, in the error shape of the other endpoints."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.text, rejected.code)
        self.status_code = rejected.status


@extend_schema(tags=["conversations"])
class ConversationViewSet(ReadOnlyModelViewSet[Conversation]):
    """The conversations that the user may see. All others answer 404."""

    serializer_class = ConversationSerializer
    lookup_url_kwarg = "number"
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Conversation]:
        if getattr(self, "swagger_fake_view", False):
            return Conversation.objects.none()
        found = Conversation.objects.visible_to(self.request.user)  # type: ignore[arg-type]
        found = found.select_related("website", "group", "agent")
        return found if self.action != "list" else self._narrowed(found)

    def _narrowed(self, found: QuerySet[Conversation]) -> QuerySet[Conversation]:
        asked = QuerySerializer(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        status = asked.validated_data.get("status")
        return found.filter(status=Status(status)) if status else found

    @extend_schema(parameters=[OpenApiParameter("status", enum=[s.value for s in Status])])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the conversations that you may see, newest first."""
        return super().list(request, *args, **kwargs)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Retrieve a conversation."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(responses=ExplanationSerializer)
    @action(detail=True)
    def why(self, request: Request, number: int) -> Response:
        """Explain why a conversation waits: who could take it, what stops each of them, and what
        would change that. Answers 409 if the conversation does not wait."""
        conversation = self.get_object()
        mine = Conversation.objects.filter(pk=conversation.pk)
        found = queries.explained(mine, at=timezone.now(), zone=zone_of(request.user))  # type: ignore[arg-type]
        if not found:
            raise NotWaiting(_("This conversation is not waiting."))
        return Response(ExplanationSerializer(found[0]).data)

    @extend_schema(
        request=OfferSerializer, responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT}
    )
    @action(detail=True, methods=["post"])
    def messages(self, request: Request, number: int) -> Response:
        """Write to the visitor as the agent or, for administrators, the bot that holds the
        conversation. A repeated id answers 200. Answers 409 if the conversation is on another desk
        or on none."""
        conversation = self.get_object()
        asked = OfferSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        try:
            body, offer = check_rich_content(
                fields.get("body", ""),
                fields.get("choices"),
                fields.get("cards"),
                domains=conversation.website.domains,
            )
            sent = by_program.say(
                conversation.pk,
                user=cast(User, request.user),
                body=body,
                offer=offer,
                client_id=fields["id"],
                at=timezone.now(),
            )
        except Rejected as rejected:
            raise Refusal(rejected) from None
        return Response({"message": sent.frame}, status=201 if sent.is_new else 200)
