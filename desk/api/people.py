"""Visitors and the persons behind them: what is known, what the brand says, and personal data."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import rights
from accounts.models import User
from conversations.models import Person, Visitor
from conversations.privacy import personal_data
from conversations.visitors import persons
from core.text.cleaning import line
from desk.api.editing import IF_MATCH, Edited
from desk.api.freshness import FreshOrToken
from desk.api.refusal import Explained, Refusal, checked

PROFILE_LIMIT = 30
NAME_LIMIT = 200
VALUE_LIMIT = 200
DATA = ("data", "erase")


class VisitorSerializer(serializers.ModelSerializer[Visitor]):
    """One browser on a website. `customer` is your own id of the person, if known."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    website = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    customer = serializers.CharField(
        source="person.external_id", read_only=True, allow_null=True, default=None
    )
    person_id = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = Visitor
        fields = (
            *("id", "website", "person_id", "customer", "name", "language"),
            *("created_at", "hidden_at", "withdrawn_at"),
        )
        read_only_fields = fields


class VisitorFilterSerializer(serializers.Serializer[Any]):
    website = serializers.CharField(required=False, help_text="The website's key.")
    customer = serializers.CharField(required=False, help_text="Your own id of the person.")


class PersonSerializer(serializers.ModelSerializer[Person]):
    """A customer behind one or more visitors. `customer` is your own id, which you signed."""

    id = serializers.IntegerField(source="pk", read_only=True)
    website = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    customer = serializers.CharField(source="external_id", read_only=True)
    profile = serializers.DictField(
        required=False,
        help_text="Your data of the customer: up to 30 texts of 200 characters, numbers, true or "
        "false. It replaces the former, and the next signed identity replaces both.",
    )
    visitors = serializers.SlugRelatedField[Any](slug_field="public_id", many=True, read_only=True)

    class Meta:
        model = Person
        fields = ("id", "website", "customer", "name", "profile", "visitors", "created_at")
        read_only_fields = ("created_at",)

    def validate_name(self, name: str) -> str:
        return line(name)

    def validate_profile(self, profile: dict[str, Any]) -> dict[str, Any]:
        if len(profile) > PROFILE_LIMIT:
            raise ValidationError(_("A profile has up to %(n)d entries.") % {"n": PROFILE_LIMIT})
        for name, value in profile.items():
            is_text = isinstance(value, str) and len(value) <= VALUE_LIMIT
            is_number = isinstance(value, bool | int | float) and abs(value) < 1e15
            if not (is_text or is_number) or not 0 < len(name) <= NAME_LIMIT:
                text = _(
                    "“%(name)s” must be a text of up to %(n)d characters, a number or a boolean."
                )
                raise ValidationError(text % {"name": name[:NAME_LIMIT], "n": VALUE_LIMIT})
        return {line(name): line(v) if isinstance(v, str) else v for name, v in profile.items()}


class PersonFilterSerializer(VisitorFilterSerializer):
    pass


class ErasureSerializer(serializers.Serializer[Any]):
    """What was deleted: rows by table."""

    erased_at = serializers.DateTimeField()
    rows = serializers.DictField(child=serializers.IntegerField())


class Subjects(Explained, Edited, mixins.ListModelMixin, GenericViewSet[Any]):
    """Data subjects, whom administrators and auditors see. All others get 404."""

    lookup_url_kwarg = "number"
    important = frozenset({"erase"})  # It cannot be undone.
    filters: type[serializers.Serializer[Any]]
    columns: dict[str, str]

    @property
    def noun(self) -> str:
        return "personal-data" if self.action in DATA else "visitors"

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def get_permissions(self) -> list[Any]:
        return [*super().get_permissions(), FreshOrToken()]

    def rows(self) -> QuerySet[Any]:
        raise NotImplementedError

    def subject(self, row: Any) -> personal_data.Subject:
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Any]:
        rows = self.rows()
        if getattr(self, "swagger_fake_view", False) or not rights.sees_everything(self.user):
            return rows.none()
        return rights.within_token(rows, self.user)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        asked = checked(self.request, self.filters)
        given = {column: asked[name] for name, column in self.columns.items() if name in asked}
        return queryset.filter(**given)

    def retrieve(self, request: Request, number: Any) -> Response:
        return self.shown(self.get_object())

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def data(self, request: Request, number: Any) -> Response:
        """Export everything that is stored about the person, by table (GDPR 15, 20). Files are
        listed, not included."""
        copy = personal_data.export(self.subject(self.get_object()))
        return Response(copy, headers={"Cache-Control": "no-store"})

    @extend_schema(
        request=None,
        responses={
            200: ErasureSerializer,
            409: OpenApiResponse(description="A conversation is not closed yet."),
        },
    )
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, number: Any) -> Response:
        """Erase the person with all visitors, conversations and files, permanently (GDPR 17).
        Administrators only."""
        subject = self.subject(self.get_object())
        if not rights.administers(self.user):
            raise PermissionDenied
        try:
            erasure = personal_data.erase(subject, by=self.user, at=timezone.now())
        except personal_data.StillOpen as still_open:
            text = _("Close these conversations first: %(numbers)s") % {"numbers": still_open}
            raise Refusal(text, "refused", 409) from None
        return Response(ErasureSerializer(erasure).data)


@extend_schema_view(
    list=extend_schema(
        tags=["visitors"],
        parameters=[VisitorFilterSerializer],
        description="List the visitors, newest first. Administrators and auditors only.",
    ),
    retrieve=extend_schema(tags=["visitors"], description="Retrieve a visitor."),
    data=extend_schema(tags=["personal-data"]),
    erase=extend_schema(tags=["personal-data"]),
)
class VisitorViewSet(Subjects):
    serializer_class = VisitorSerializer
    lookup_field = "public_id"
    lookup_value_converter = "uuid"
    filters = VisitorFilterSerializer
    columns = {"website": "website__key", "customer": "person__external_id"}

    def rows(self) -> QuerySet[Visitor]:
        return Visitor.objects.select_related("website", "person")

    def subject(self, row: Visitor) -> personal_data.Subject:
        return personal_data.of_visitor(row)


@extend_schema_view(
    list=extend_schema(
        tags=["visitors"],
        parameters=[PersonFilterSerializer],
        description="List the persons, newest first. Administrators and auditors only.",
    ),
    retrieve=extend_schema(tags=["visitors"], description="Retrieve a person, with its ETag."),
    data=extend_schema(tags=["personal-data"]),
    erase=extend_schema(tags=["personal-data"]),
)
class PersonViewSet(Subjects):
    serializer_class = PersonSerializer
    lookup_value_converter = "int"
    filters = PersonFilterSerializer
    columns = {"website": "website__key", "customer": "external_id"}

    def rows(self) -> QuerySet[Person]:
        return Person.objects.select_related("website").prefetch_related("visitors")

    def subject(self, row: Person) -> personal_data.Subject:
        return personal_data.of_person(row)

    @extend_schema(tags=["visitors"], parameters=[IF_MATCH], request=PersonSerializer)
    def partial_update(self, request: Request, number: int) -> Response:
        """Change the name and your own data of a person, as your signed identity does.
        Administrators only."""
        with self.editing() as person:
            if not rights.administers(self.user):
                raise PermissionDenied
            asked = self.get_serializer(person, data=request.data, partial=True)
            asked.is_valid(raise_exception=True)
            values = {"name": person.name, "profile": person.profile} | asked.validated_data
            persons.describe(person, **values)
        return self.shown(self.get_object())
