"""Blocks in the public API: who may not write, why and until when, and lifting them."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import rights, supervision
from accounts.models import User
from conversations.models import Block
from conversations.visitors import blocks
from desk.api.refusal import checked


class BlockSerializer(serializers.ModelSerializer[Block]):
    """A visitor who may not write. `until` is null if the block lasts until it is lifted."""

    id = serializers.IntegerField(source="pk", read_only=True)
    website = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    visitor = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    conversation = serializers.IntegerField(
        source="conversation_id", read_only=True, allow_null=True
    )
    blocked_by = serializers.CharField(source="by_whom", read_only=True)

    class Meta:
        model = Block
        fields = (
            *("id", "website", "visitor", "conversation", "reason"),
            *("blocked_at", "until", "blocked_by", "lifted_at"),
        )
        read_only_fields = fields


class BlockFilterSerializer(serializers.Serializer[Any]):
    website = serializers.CharField(required=False, help_text="The website's key.")
    visitor = serializers.UUIDField(required=False, help_text="The Messenger's id for the browser.")
    in_force = serializers.BooleanField(required=False, default=None, allow_null=True)


@extend_schema(tags=["blocks"])
@extend_schema_view(
    list=extend_schema(
        parameters=[BlockFilterSerializer],
        description="List the blocks of conversations that you oversee, newest first.",
    ),
    retrieve=extend_schema(description="Retrieve a block."),
)
class BlockViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Block]):
    """Blocks of what the user oversees. A visitor is blocked from a conversation."""

    noun = "blocks"
    serializer_class = BlockSerializer
    lookup_url_kwarg = "number"
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Block]:
        user = cast(User, self.request.user)
        if getattr(self, "swagger_fake_view", False) or not rights.oversees(user):
            return Block.objects.none()
        overseen = supervision.of(user).rows(group="conversation__group")
        rows = Block.objects.filter(overseen).select_related("website", "visitor", "blocked_by")
        return rows if self.action != "list" else self._narrowed(rows)

    def _narrowed(self, rows: QuerySet[Block]) -> QuerySet[Block]:
        asked = checked(self.request, BlockFilterSerializer)
        columns = {"website": "website__key", "visitor": "visitor__public_id"}
        rows = rows.filter(**{columns[name]: asked[name] for name in columns if name in asked})
        holds = blocks.holds(timezone.now())
        if asked["in_force"] is None:
            return rows
        return rows.filter(holds) if asked["in_force"] else rows.exclude(holds)

    @extend_schema(request=None, responses=BlockSerializer)
    @action(detail=True, methods=["post"])
    def lift(self, request: Request, number: int) -> Response:
        """Let the visitor write again. Lifting it again changes nothing."""
        block, user = self.get_object(), cast(User, request.user)
        if not rights.steers(user):
            raise PermissionDenied
        blocks.lift(Block.objects.filter(pk=block.pk), by=user, at=timezone.now())
        return Response(BlockSerializer(self.get_object()).data)
