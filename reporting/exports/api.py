"""Exports over the public API: files that a worker writes, and the current tables of the
reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from reporting import figures
from reporting.exports import export_queue, requests, row_files, subjects
from reporting.figures.api import PARAMETERS, chosen_by, refused
from reporting.models import Export, ExportState
from reporting.reports import sheets
from reporting.reports.filters import PERIODS, Chosen, read
from reporting.reports.parameters import Misread

FILE = {(200, mime): OpenApiTypes.BINARY for mime in ("text/csv", row_files.KINDS["xlsx"][0])}


class Refused(APIException):
    """There are too many exports, or the file does not exist (yet)."""

    status_code = 409
    default_code = "refused"


class ExportSerializer(serializers.ModelSerializer[Export]):
    """An export and its progress."""

    id = serializers.IntegerField(source="pk", read_only=True)
    total = serializers.IntegerField(
        allow_null=True, help_text="Estimated number of rows. Null until they are counted."
    )
    fault = serializers.SerializerMethodField(
        help_text="Reason for the failure. Null if it has not failed."
    )
    file = serializers.SerializerMethodField(
        help_text="URL of the file. Null until the export is done."
    )
    kept_until = serializers.SerializerMethodField()

    class Meta:
        model = Export
        fields = (
            *("id", "subject", "kind", "first", "last", "about", "state", "fault"),
            *("written", "total", "size", "asked_at", "ended_at", "kept_until", "file"),
        )
        read_only_fields = fields

    def get_fault(self, export: Export) -> str | None:
        return export.get_fault_display() or None

    def get_file(self, export: Export) -> str | None:
        is_there = export.state == ExportState.DONE
        return reverse("api:export-file", args=[export.pk]) if is_there else None

    def get_kept_until(self, export: Export) -> datetime | None:
        return export.ended_at and export.ended_at + export_queue.RETENTION


class WishSerializer(serializers.Serializer[Any]):
    """An export to prepare. It takes the same filters as the figures."""

    subject = serializers.CharField(
        help_text="Name of a figure, for its rows, or `conversations`, for one row for each."
    )
    kind = serializers.ChoiceField(choices=list(row_files.WRITERS))
    period = serializers.ChoiceField(
        choices=[key for key, _name in PERIODS], required=False, help_text="Defaults to 7 days."
    )
    first = serializers.DateField(required=False, help_text="Only with the period `custom`.")
    last = serializers.DateField(required=False, help_text="Only with the period `custom`.")
    website = serializers.IntegerField(required=False)
    group = serializers.IntegerField(required=False)
    rule = serializers.IntegerField(required=False)
    agent = serializers.IntegerField(required=False)
    style = serializers.CharField(required=False)  # type: ignore[assignment]
    language = serializers.CharField(required=False)
    currency = serializers.CharField(required=False)

    def validate_subject(self, subject: str) -> str:
        if subjects.name_of(subject) is None:
            raise ValidationError(
                _("This figure does not exist. Choose a figure or “conversations”.")
            )
        return subject

    def validate(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Reject unknown fields: a misspelt filter would export more than was meant."""
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise ValidationError({name: [_("This field does not exist.")] for name in unknown})
        return wish


class AnyKind(DefaultContentNegotiation):
    """Ignore the client's ``Accept`` header: a file has the type it was requested in."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


@extend_schema(tags=["exports"])
class ExportViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    GenericViewSet[Export],
):
    """Your own exports. Those of other users answer 404."""

    noun = "exports"
    serializer_class = ExportSerializer
    lookup_url_kwarg = "number"
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Export]:
        if getattr(self, "swagger_fake_view", False):
            return Export.objects.none()
        user = cast(User, self.request.user)
        return user.exports.filter(requests.within_token(user))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List your exports, newest first."""
        return super().list(request, *args, **kwargs)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Retrieve an export: its state, and how many of its rows are written."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(request=WishSerializer, responses={201: ExportSerializer})
    def create(self, request: Request) -> Response:
        """Request a file with the data that you may see, in the language of the request. Answers
        409 while five of your exports are unfinished."""
        wish = WishSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        wanted = dict(wish.validated_data)
        subject, kind = wanted.pop("subject"), wanted.pop("kind")
        user, at = cast(User, request.user), timezone.now()
        try:
            if user.confined_to is not None and "website" not in wanted:
                # A worker writes the file later, as the user, without the limits of this token.
                raise ValidationError({"website": [_("This token must name one of its websites.")]})
            form = read(QueryDict(urlencode(wanted)), user=user, at=at)
        except Misread as misread:
            raise refused(misread.errors) from None
        if not form.websites:
            raise NotFound
        try:
            export = requests.ask(form, subject=subject, kind=kind, at=at)
        except export_queue.TooMany:
            message = _("You already have %(n)s unfinished exports. Wait for one or cancel one.")
            raise Refused(message % {"n": export_queue.MOST_UNFINISHED}) from None
        return Response(ExportSerializer(export).data, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, number: int) -> Response:
        """Cancel an unfinished export, or delete a finished one with its file."""
        requests.drop(self.get_object(), at=timezone.now())
        return Response(status=204)

    @extend_schema(responses=FILE)
    @action(detail=True, content_negotiation_class=AnyKind)
    def file(self, request: Request, number: int) -> HttpResponse:
        """Download the file. Answers 409 if it is not ready or the export failed, and 404 if you
        may no longer see all of its data."""
        export = self.get_object()
        if export.state != ExportState.DONE:
            raise Refused(export.get_fault_display() or export.get_state_display())
        response = requests.file_of(export, cast(User, request.user))
        return cast(HttpResponse, response)


class SheetDownload(APIView):
    """A sheet as a file, with the filters of the figures."""

    noun = "figures"
    content_negotiation_class = AnyKind

    def asked(self, request: Request) -> Chosen:
        return chosen_by(request)

    def respond(
        self, sheet: sheets.Sheet | None, name: str, kind: str, asked: Chosen
    ) -> HttpResponse:
        if sheet is None or kind not in row_files.WRITERS:
            raise NotFound
        return sheets.answer(sheet, name, kind, asked)


@extend_schema(tags=["exports"])
class SheetView(SheetDownload):
    @extend_schema(
        parameters=[
            OpenApiParameter("name", enum=[*sheets.CUTS, *sheets.OTHER_SHEETS], location="path"),
            OpenApiParameter("kind", enum=list(row_files.WRITERS), location="path"),
            *PARAMETERS,
        ],
        responses=FILE,
    )
    def get(self, request: Request, name: str, kind: str) -> HttpResponse:
        """Download a table of a report, divided by `by` (default: group). Supervisors only."""
        if not cast(User, request.user).oversees:
            raise NotFound
        asked, by = self.asked(request), request.query_params.get("by") or "group"
        return self.respond(sheets.of_report(name, asked, by), name, kind, asked)


@extend_schema(tags=["exports"])
class ChartView(SheetDownload):
    @extend_schema(
        parameters=[
            OpenApiParameter("kind", enum=list(row_files.WRITERS), location="path"),
            *PARAMETERS,
        ],
        responses=FILE,
    )
    def get(self, request: Request, name: str, kind: str) -> HttpResponse:
        """Download the table of a chart: the figure's trend and that of the period before."""
        if name not in figures.FIGURES:
            raise NotFound
        asked = self.asked(request)
        return self.respond(sheets.behind_chart(name, asked), name, kind, asked)
