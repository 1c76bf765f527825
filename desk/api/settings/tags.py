"""The tags of websites."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import rights
from conversations.lifecycle import actors
from conversations.models import Tag
from conversations.reasons import catalogue
from desk.api.editing import IF_MATCH
from desk.api.refusal import checked
from desk.api.settings.fields import Keyed
from desk.api.settings.shape import (
    REFUSED,
    SettingSerializer,
    SettingViewSet,
    WebsiteFilterSerializer,
    assign,
    described,
)


class TagSerializer(SettingSerializer):
    """A tag: a reason for which customers write. An archived one is no longer offered."""

    id = serializers.IntegerField(source="pk", read_only=True)
    website = Keyed()
    archived = serializers.BooleanField(source="is_archived", required=False)
    merged_into = serializers.IntegerField(
        source="merged_into_id", read_only=True, allow_null=True, help_text="The tag that remains."
    )

    class Meta:
        model = Tag
        fields = (
            *("id", "website", "name", "category", "colour", "description"),
            *("archived", "merged_into"),
        )


class TagFilterSerializer(WebsiteFilterSerializer):
    archived = serializers.BooleanField(required=False, allow_null=True, default=None)


class MergeSerializer(serializers.Serializer[Any]):
    """The tag that remains."""

    into = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class MergedSerializer(serializers.Serializer[Any]):
    conversations = serializers.IntegerField(help_text="How many got the tag that remains.")


@described(
    "a tag", "the tags of the websites on which you answer", who="Supervisors of the website."
)
class TagViewSet(SettingViewSet):
    noun = "tags"
    model = Tag
    serializer_class = TagSerializer
    filters = TagFilterSerializer

    def rows(self) -> QuerySet[Tag]:
        return catalogue.readable_by(self.user).select_related("website")

    def narrowed(self, rows: QuerySet[Tag], asked: dict[str, Any]) -> QuerySet[Tag]:
        if asked["archived"] is not None:
            rows = rows.filter(archived_at__isnull=not asked["archived"])
        return super().narrowed(rows, asked)

    def may_add(self) -> bool:
        return rights.steers(self.user)

    def may_change(self, row: Tag) -> bool:
        mine = catalogue.changeable_by(self.user)
        return rights.steers(self.user) and mine.filter(pk=row.pk).exists()

    def write(self, row: Tag, values: dict[str, Any]) -> None:
        is_archived = values.pop("is_archived", None)
        assign(row, values)
        if is_archived:
            catalogue.archive(row, at=timezone.now())
        elif is_archived is False and row.archived_at is not None:
            catalogue.restore(row)

    @extend_schema(
        tags=["tags"],
        parameters=[IF_MATCH],
        request=MergeSerializer,
        responses={200: MergedSerializer, 409: REFUSED},
    )
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, number: int) -> Response:
        """Give all its conversations another tag of the same website, and archive it. This cannot
        be undone. Supervisors of the website."""
        with self.editing() as row:
            if not self.may_change(row):
                raise PermissionDenied
            into = checked(request, MergeSerializer, "data")["into"]
            target = self.rows().filter(pk=into).first()
            if target is None or not self.may_change(target):
                raise serializers.ValidationError({"into": ["This tag does not exist."]})
            count = catalogue.merge(
                row, into=target, actor=actors.manager(self.user), at=timezone.now()
            )
        return Response({"conversations": count})
