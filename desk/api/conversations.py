"""Conversations in the public API: lists, the reason of a wait, and the verbs of the desk."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, cast

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts import rights
from accounts.access import zone_of
from accounts.models import User
from conversations.messages import validators
from conversations.models import Conversation, Visitor
from conversations.visitors import persons
from core import web_addresses
from core.text.text_search import sought
from desk import search
from desk.api.contents import Contents
from desk.api.refusal import checked
from desk.api.serializers import (
    ConversationSerializer,
    ExplanationSerializer,
    FilterSerializer,
    NewConversationSerializer,
)
from desk.api.tagging import Tagging
from desk.api.verbs import Verbs
from routing import engagement
from routing.targeting import PageView
from routing.waits import queries


class NotWaiting(APIException):
    """The conversation does not wait, so there is nothing to explain."""

    status_code = 409
    default_code = "refused"


@extend_schema(tags=["conversations"])
@extend_schema_view(list=extend_schema(parameters=[FilterSerializer]))
class ConversationViewSet(Contents, Tagging, Verbs, ReadOnlyModelViewSet[Conversation]):
    """The conversations that the user may see. All others answer 404."""

    noun = "conversations"
    serializer_class = ConversationSerializer
    lookup_url_kwarg = "number"
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Conversation]:
        if getattr(self, "swagger_fake_view", False):
            return Conversation.objects.none()
        conversations = Conversation.objects.visible_to(cast(User, self.request.user))
        conversations = conversations.select_related("website", "group", "agent", "visitor__person")
        conversations = conversations.prefetch_related("tag_marks__tag")
        return conversations if self.action != "list" else self._narrowed(conversations)

    def _narrowed(self, conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
        asked = checked(self.request, FilterSerializer)
        text = asked.get("q", "")
        wanted = search.Search(
            text=text,
            status=asked.get("status", ""),
            group=asked.get("group"),
            agent=asked.get("agent"),
            tag=asked.get("tag"),
        )
        conversations = search.matching(wanted, sought(text), conversations)
        columns = {
            "website": "website__key",
            "visitor": "visitor__public_id",
            "customer": "visitor__person__external_id",
            "since": "opened_at__gte",
            "until": "opened_at__lt",
        }
        given = {column: asked[name] for name, column in columns.items() if name in asked}
        return conversations.filter(**given)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the conversations that you may see, newest first."""
        with search.bounded() if request.query_params.get("q") else nullcontext():
            return super().list(request, *args, **kwargs)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Retrieve a conversation."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        request=NewConversationSerializer,
        responses={200: ConversationSerializer, 201: ConversationSerializer},
    )
    def create(self, request: Request) -> Response:
        """Start a conversation with a known visitor's first message, as the Messenger does: by the
        targeting rules, if there is room (409 `refused` otherwise). If the visitor has an open
        conversation, the message goes there (200). Supervisors only."""
        asked = checked(request, NewConversationSerializer, "data")
        websites = rights.websites_of(request.user)
        known = Visitor.objects.filter(public_id=asked["visitor"], website__in=websites)
        visitor = known.select_related("website").first()
        if visitor is None:
            raise NotFound
        persons.check_willing(visitor)
        page = web_addresses.parse(asked["page_url"])
        language = asked.get("language") or visitor.language
        url = str(page) if page else ""
        conversation, sent = engagement.start(
            visitor,
            body=validators.check_body(asked["body"]),
            client_id=asked["id"],
            page_url=url,
            language=language,
            view=PageView(url=url, language=language),
            at=timezone.now(),
        )
        is_begun = sent.is_new and sent.frame["seq"] == 1
        fresh = Conversation.objects.select_related(
            "website", "group", "agent", "visitor__person"
        ).get(pk=conversation.pk)
        return Response(ConversationSerializer(fresh).data, status=201 if is_begun else 200)

    @extend_schema(responses=ExplanationSerializer)
    @action(detail=True)
    def why(self, request: Request, number: int) -> Response:
        """Explain why a conversation waits: who could take it, what stops each of them, and what
        would change that. Answers 409 if the conversation does not wait."""
        conversation = self.get_object()
        mine = Conversation.objects.filter(pk=conversation.pk)
        zone = zone_of(cast(User, request.user))
        explanations = queries.explained(mine, at=timezone.now(), zone=zone)
        if not explanations:
            raise NotWaiting(_("This conversation is not waiting."))
        return Response(ExplanationSerializer(explanations[0]).data)
