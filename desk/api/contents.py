"""What belongs to a conversation: messages, files, notes, its ledger and its contacts."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from typing import IO, Any, cast
from urllib.parse import quote

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from conversations.agents import notes
from conversations.inboxes import templates
from conversations.messages import attachments, rejections, sending, validators
from conversations.messages.rich_content import check_rich_content
from conversations.models import Conversation
from core import temporary_files
from desk import queries
from desk.api.refusal import Explained, checked
from desk.api.serializers import (
    ContactSerializer,
    EventSerializer,
    MessageSerializer,
    NewMessageSerializer,
    NoteSerializer,
    TemplateSerializer,
)
from desk.forms import NoteForm
from desk.timeline import names_of
from routing.actions import by_agent, by_program

LIST = [
    OpenApiParameter("cursor", description="From `next` or `previous`."),
    OpenApiParameter("page_size", OpenApiTypes.INT),
]


class Octets(BaseParser):
    """Passes a body of any type on, unread."""

    media_type = "*/*"

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        return stream


class Contents(Explained):
    """Lists below a conversation. They are oldest first, unlike other lists."""

    get_object: Callable[[], Conversation]
    paginator: Any
    paginate_queryset: Callable[[QuerySet[Any]], list[Any]]
    get_paginated_response: Callable[[Any], Response]

    def _page(self, rows: QuerySet[Any], ordering: str) -> list[Any]:
        self.paginator.ordering = ordering
        return self.paginate_queryset(rows)

    @extend_schema(
        methods=["get"],
        parameters=[*LIST, OpenApiParameter("after", OpenApiTypes.INT, description="A `seq`.")],
        responses=MessageSerializer(many=True),
    )
    @extend_schema(
        methods=["post"],
        request=NewMessageSerializer,
        responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT},
    )
    @action(detail=True, methods=["get", "post"])
    def messages(self, request: Request, number: int) -> Response:
        """List the messages, or write to the visitor as the agent or, for administrators, the bot
        that holds the conversation. A repeated id answers 200. Answers 409 if the conversation is
        on another desk or on none."""
        conversation = self.get_object()
        if request.method == "POST":
            return self._post_message(request, conversation)
        rows = conversation.messages.select_related("agent", "attachment")
        after = request.query_params.get("after", "")
        # A longer number does not fit into the column.
        if after.isdecimal() and len(after) < 10:
            rows = rows.filter(seq__gt=int(after))
        frames = [sending.frame_of(row) for row in self._page(rows, "seq")]
        return self.get_paginated_response(frames)

    def _post_message(self, request: Request, conversation: Conversation) -> Response:
        fields = checked(request, NewMessageSerializer, "data")
        if template := fields.get("template"):
            sent = by_agent.send_template(
                conversation.pk,
                user=cast(User, request.user),
                key=f"{template['name']}/{template['language']}",
                values=template.get("values", {}),
                client_id=fields["id"],
                at=timezone.now(),
            )
            return Response({"message": sent.frame}, status=201 if sent.is_new else 200)
        file = fields.get("attachment")
        offers = fields.get("choices") or fields.get("cards")
        if file is not None and not offers:
            body, offer = validators.check_body(fields.get("body"), may_be_empty=True), None
        else:
            body, offer = check_rich_content(
                fields.get("body", ""),
                fields.get("choices"),
                fields.get("cards"),
                domains=conversation.website.domains,
            )
        sent = by_program.send(
            conversation.pk,
            user=cast(User, request.user),
            body=body,
            offer=offer,
            client_id=fields["id"],
            at=timezone.now(),
            attachment=file,
        )
        return Response({"message": sent.frame}, status=201 if sent.is_new else 200)

    @extend_schema(responses=TemplateSerializer(many=True))
    @action(detail=True, pagination_class=None)
    def templates(self, request: Request, number: int) -> Response:
        """List the texts that the provider of the conversation's channel has approved."""
        inbox = self.get_object().inbox
        found = templates.of(inbox) if inbox is not None else []
        return Response(TemplateSerializer(found, many=True).data)

    @extend_schema(
        methods=["put"],
        parameters=[OpenApiParameter("name", required=True, description="The file's name.")],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT},
    )
    @extend_schema(methods=["get"], responses={(200, "*/*"): OpenApiTypes.BINARY})
    @action(
        detail=True, methods=["get", "put"], url_path="files/<uuid:file>", parser_classes=[Octets]
    )
    def files(self, request: Request, number: int, file: uuid.UUID) -> Response | HttpResponse:
        """Upload a file under an id of your own, to be sent with a message, or download one.
        Repeating an upload changes nothing."""
        conversation = self.get_object()
        if request.method == "PUT":
            return self._receive(request, conversation, file)
        download = attachments.download_of(conversation, file)
        response = HttpResponse(download.content, content_type=download.content_type)
        name = quote(download.name)
        response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def _receive(self, request: Request, conversation: Conversation, file: uuid.UUID) -> Response:
        agent = queries.agent_of(cast(User, request.user))
        if agent is None or conversation.agent_id != agent.pk:
            raise rejections.not_on_desk()
        with temporary_files.folder() as folder:
            path = folder / "upload"
            with path.open("wb") as upload:
                # An empty body is not parsed: there is no stream then.
                if hasattr(request.data, "read"):
                    shutil.copyfileobj(request.data, upload)
            stored, is_new = attachments.store_as_agent(
                path,
                attachment_id=file,
                name=request.query_params.get("name", ""),
                conversation=conversation,
                at=timezone.now(),
            )
        return Response({"attachment": stored}, status=201 if is_new else 200)

    @extend_schema(methods=["get"], parameters=LIST, responses=NoteSerializer(many=True))
    @extend_schema(methods=["post"], request=NoteSerializer, responses={201: NoteSerializer})
    @action(detail=True, methods=["get", "post"])
    def notes(self, request: Request, number: int) -> Response:
        """List the notes for the team, or write one. Visitors never see them."""
        conversation = self.get_object()
        if request.method == "GET":
            rows = self._page(notes.of(conversation.pk), "pk")
            return self.get_paginated_response(NoteSerializer(rows, many=True).data)
        agent = queries.agent_of(cast(User, request.user))
        if agent is None:
            raise rejections.no_desk()
        form = NoteForm(checked(request, NoteSerializer, "data"))
        if not form.is_valid():
            raise ValidationError({"body": [str(fault) for fault in form.errors["body"]]})
        body = form.cleaned_data["body"]
        note = notes.write(conversation.pk, agent_id=agent.pk, body=body, at=timezone.now())
        return Response(NoteSerializer(note).data, status=201)

    @extend_schema(parameters=LIST, responses=EventSerializer(many=True))
    @action(detail=True)
    def events(self, request: Request, number: int) -> Response:
        """List what happened to the conversation: the lines of its ledger."""
        rows = self.get_object().events.select_related("agent", "group")
        page = self._page(rows, "pk")
        context = {"names": names_of(page)}
        return self.get_paginated_response(EventSerializer(page, many=True, context=context).data)

    @extend_schema(parameters=LIST, responses=ContactSerializer(many=True))
    @action(detail=True)
    def contacts(self, request: Request, number: int) -> Response:
        """List the times that the conversation spent on desks."""
        rows = self.get_object().contacts.select_related("agent", "group")
        page = self._page(rows, "pk")
        return self.get_paginated_response(ContactSerializer(page, many=True).data)
