"""What all settings in the API have in common: lists, ETags, the author of a change, and that it
takes effect at once (R216)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from django.db.models import Model, ProtectedError, QuerySet, RestrictedError
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import rights
from accounts.constraints import check
from accounts.models import User
from desk.api.editing import IF_MATCH, Edited
from desk.api.refusal import Explained, Refusal, checked


class SettingSerializer(serializers.ModelSerializer[Any]):
    """``editable_once`` are fields that are set when the row is added. ``reserved`` are fields that
    only administrators set (C39)."""

    editable_once: Sequence[str] = ("website",)
    reserved: Sequence[str] = ()

    def get_unique_together_validators(self) -> list[Any]:
        """Leave uniqueness to ``accounts.constraints.check``, whose sentences are better."""
        return []

    def to_internal_value(self, data: Any) -> Any:
        """Refuse fields that do not exist: a misspelt one would change nothing, silently."""
        if isinstance(data, dict):
            unknown = sorted(str(name) for name in set(data) - set(self.fields))
            if unknown:
                raise ValidationError({name: [_("This field does not exist.")] for name in unknown})
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = cast(User, self.context["request"].user)
        for name in attrs:
            if name in self.reserved and not rights.administers(user):
                raise PermissionDenied(
                    _("Only administrators can change “%(name)s”.") % {"name": name}
                )
            is_new = self.instance is None
            if (
                name in self.editable_once
                and not is_new
                and attrs[name] != getattr(self.instance, name)
            ):
                raise ValidationError({name: [_("This cannot be changed later.")]})
        return attrs


class SettingViewSet(Explained, Edited, mixins.ListModelMixin, GenericViewSet[Any]):
    """Rows that the user sees on the pages of the administration. All others answer 404."""

    noun = ""
    model: type[Model]
    lookup_url_kwarg = "number"
    lookup_value_converter = "int"
    filters: type[serializers.Serializer[Any]]
    columns: dict[str, str] = {"website": "website__key"}

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def rows(self) -> QuerySet[Any]:
        """Return what the user may read."""
        raise NotImplementedError

    def may_add(self) -> bool:
        return rights.administers(self.user)

    def may_change(self, row: Any) -> bool:
        return rights.administers(self.user)

    def may_remove(self, row: Any) -> bool:
        return self.may_change(row)

    def write(self, row: Any, values: dict[str, Any]) -> None:
        """Save a row with its parts and publish the change."""
        assign(row, values)

    def remove(self, row: Any) -> None:
        """Delete a row and publish it."""
        row.delete()

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return self.model._default_manager.none()
        return self.rows()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        asked = checked(self.request, self.filters)
        return self.narrowed(queryset, asked)

    def narrowed(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        """Return the rows that match the filters of the request."""
        given = {column: asked[name] for name, column in self.columns.items() if name in asked}
        return rows.filter(**given)

    def retrieve(self, request: Request, number: int) -> Response:
        return self.shown(self.get_object())

    def create(self, request: Request) -> Response:
        if not self.may_add():
            raise PermissionDenied
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with self.adding():
            row = self.model()
            self.write(row, dict(asked.validated_data))
        return self.shown(self._again(row), 201)

    def partial_update(self, request: Request, number: int) -> Response:
        with self.editing() as row:
            if not self.may_change(row):
                raise PermissionDenied
            asked = self.get_serializer(row, data=request.data, partial=True)
            asked.is_valid(raise_exception=True)
            self.write(row, dict(asked.validated_data))
        return self.shown(self._again(row))

    def destroy(self, request: Request, number: int) -> Response:
        with self.editing() as row:
            if not self.may_remove(row):
                raise PermissionDenied
            try:
                self.remove(row)
            except (ProtectedError, RestrictedError) as held:
                raise still_used(held) from None
        return Response(status=204)

    def _again(self, row: Model) -> Any:
        """Return the row with everything that is shown, or without if it left the user's sight."""
        return self.get_queryset().filter(pk=row.pk).first() or row


def assign(row: Any, values: dict[str, Any]) -> None:
    """Check and save a row with these values. Related rows are set after it is saved."""
    related = {
        name: values.pop(name) for name in list(values) if row._meta.get_field(name).many_to_many
    }
    for name, value in values.items():
        setattr(row, name, value)
    check(row)
    row.save()
    for name, chosen in related.items():
        getattr(row, name).set(chosen)


def still_used(held: ProtectedError | RestrictedError) -> Refusal:
    """Return the refusal to delete what other rows still name."""
    objects: Any = (
        held.protected_objects if isinstance(held, ProtectedError) else held.restricted_objects
    )
    kinds = sorted({str(one._meta.verbose_name_plural) for one in objects})
    text = _("This is still used by: %(kinds)s. Nothing was deleted.") % {"kinds": ", ".join(kinds)}
    return Refusal(text, "refused", 409)


REFUSED = OpenApiResponse(description="Refused, with a sentence. Nothing was changed.")


def described(
    one: str, many: str, *, who: str, edits: bool = True
) -> Callable[[type[Any]], type[Any]]:
    """Return a decorator that gives a view set's operations their descriptions: ``one`` is a row
    with its article, ``who`` may change it."""

    def decorate(view: type[Any]) -> type[Any]:
        tag = view.noun
        schemas = {
            "list": extend_schema(
                tags=[tag], parameters=[view.filters], description=f"List {many}, newest first."
            ),
            "retrieve": extend_schema(tags=[tag], description=f"Retrieve {one}, with its ETag."),
        }
        if edits:
            shape = view.serializer_class
            schemas |= {
                "create": extend_schema(
                    tags=[tag], responses={201: shape}, description=f"Add {one}. {who}"
                ),
                "partial_update": extend_schema(
                    tags=[tag],
                    parameters=[IF_MATCH],
                    description=f"Change {one}; it takes effect at once. {who}",
                ),
                "destroy": extend_schema(
                    tags=[tag],
                    parameters=[IF_MATCH],
                    responses={204: None, 409: REFUSED},
                    description=f"Delete {one}. Answers 409 while it is in use. {who}",
                ),
            }
        decorated: type[Any] = extend_schema_view(**schemas)(view)
        return decorated

    return decorate


class WebsiteFilterSerializer(serializers.Serializer[Any]):
    website = serializers.CharField(required=False, help_text="The website's key.")
