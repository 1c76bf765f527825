"""The tags of a conversation, and the record of their changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from conversations.lifecycle import actors
from conversations.models import Conversation
from conversations.reasons import record, tagging
from desk import queries
from desk.api.contents import LIST
from desk.api.refusal import Explained, checked
from desk.api.serializers import MarkSerializer, ReasonEventSerializer, TaggingSerializer
from desk.tags import may_tag, tags_of
from desk.timeline import names_of_users


class Tagging(Explained):
    """What a conversation was about: who answers there, or oversees it, may say so."""

    get_object: Callable[[], Conversation]
    paginator: Any
    paginate_queryset: Callable[[Any], list[Any]]
    get_paginated_response: Callable[[Any], Response]

    @extend_schema(methods=["get"], responses=MarkSerializer(many=True))
    @extend_schema(methods=["post"], request=TaggingSerializer, responses=MarkSerializer(many=True))
    @action(detail=True, methods=["get", "post"], pagination_class=None)
    def tags(self, request: Request, number: int) -> Response:
        """List the tags, or add some. Adding one that is there changes nothing. Answers 409 for a
        tag that is archived or of another website."""
        conversation = self.get_object()
        if request.method == "POST":
            self._check(conversation, request)
            asked = checked(request, TaggingSerializer, "data")
            actor = actors.agent(cast(User, request.user))
            tagging.add(conversation.pk, asked["tags"], actor=actor, at=timezone.now())
        return Response(MarkSerializer(tags_of(conversation), many=True).data)

    @extend_schema(responses={204: None})
    @action(detail=True, methods=["delete"], url_path="tags/<int:tag>")
    def untag(self, request: Request, number: int, tag: int) -> Response:
        """Remove a tag. Answers 404 if the conversation does not have it."""
        conversation = self.get_object()
        self._check(conversation, request)
        actor = actors.agent(cast(User, request.user))
        if not tagging.remove(conversation.pk, tag, actor=actor, at=timezone.now()):
            raise NotFound
        return Response(status=204)

    @extend_schema(parameters=LIST, responses=ReasonEventSerializer(many=True))
    @action(detail=True, url_path="tag-changes")
    def tag_changes(self, request: Request, number: int) -> Response:
        """List how the tags of the conversation changed, oldest first."""
        self.paginator.ordering = "pk"
        page = self.paginate_queryset(record.lines_of(self.get_object().pk))
        names = names_of_users(event.actor_user_id for event in page)
        shown = ReasonEventSerializer(page, many=True, context={"names": names})
        return self.get_paginated_response(shown.data)

    def _check(self, conversation: Conversation, request: Request) -> None:
        user = cast(User, request.user)
        if not may_tag(conversation, user, queries.agent_of(user)):
            raise PermissionDenied
