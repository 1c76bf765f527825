"""Figures in the public API: the same functions as the pages, for users with the same rights."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, cast

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from reporting import figures as register
from reporting.figures import answers
from reporting.figures.answers import Answer
from reporting.figures.registry import Figure, Unit
from reporting.reports import content
from reporting.reports.filters import PERIODS, STEPS, Chosen, chosen, read
from reporting.reports.parameters import Misread, ParameterErrors, sentences


class FigureSerializer(serializers.Serializer[Figure]):
    """A figure and its definition, in the language of the request."""

    name = serializers.CharField()
    report = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.ChoiceField(choices=[unit.value for unit in Unit])
    definition = serializers.ListField(child=serializers.CharField())


class AnswerSerializer(serializers.Serializer[Any]):
    """``value`` is null if nothing was counted or if the amounts are in several currencies."""

    key = serializers.CharField(required=False, help_text="Id or start of the part.")
    label = serializers.CharField(required=False)  # type: ignore[assignment]
    value = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField(help_text="Number of rows counted.")
    currency = serializers.CharField(required=False)


class FigureAnswerSerializer(AnswerSerializer):
    name = serializers.CharField()
    unit = serializers.CharField()
    first = serializers.DateField()
    last = serializers.DateField()
    parts = AnswerSerializer(many=True, required=False)
    trend = AnswerSerializer(many=True, required=False)


@extend_schema(tags=["figures"])
class FigureListView(APIView):
    noun = "figures"

    @extend_schema(responses=FigureSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List all figures with their definitions."""
        return Response([FigureSerializer(figure).data for figure in register.FIGURES.values()])


BESIDE = {"by": content.CUTS, "format": None}
"""The parameters beside the filters; the second is REST framework's own."""
PARAMETERS = [
    OpenApiParameter(
        "period", enum=[key for key, _name in PERIODS], description="Defaults to 7 days."
    ),
    OpenApiParameter("first", OpenApiTypes.DATE, description="Only with period=custom."),
    OpenApiParameter("last", OpenApiTypes.DATE, description="Only with period=custom."),
    *(
        OpenApiParameter(name, OpenApiTypes.INT)
        for name in ("website", "group", "rule", "agent", "tag")
    ),
    *(OpenApiParameter(name) for name in ("style", "language", "currency")),
    OpenApiParameter("by", enum=list(content.CUTS), description="Divide the figure by this."),
    OpenApiParameter(
        "step",
        enum=[str(key) for key, _name in STEPS if key],
        description="Add a trend with this step.",
    ),
]


@extend_schema(tags=["figures"])
class FigureView(APIView):
    noun = "figures"

    @extend_schema(parameters=PARAMETERS, responses=FigureAnswerSerializer)
    def get(self, request: Request, name: str) -> Response:
        """Retrieve a figure over a period, in total, divided (``by``) or over time (``step``).
        Supervisors get the figures of their websites, agents their own."""
        figure = register.FIGURES.get(name)
        if figure is None:
            raise NotFound
        asked = chosen_by(request)
        scope = asked.scope
        answer: dict[str, Any] = _answer_data(answers.total([figure], scope)[name]) | {
            "name": name,
            "unit": figure.unit.value,
            "first": scope.period.first,
            "last": scope.period.last,
        }
        by = request.query_params.get("by")
        if by:
            answer["parts"] = [
                {"key": row.key, "label": str(row.name), **_answer_data(row.cells[0][1])}
                for row in content.breakdown(scope, by, name).rows
            ]
        if request.query_params.get("step"):
            answer["trend"] = [
                {"key": _key(key), **_answer_data(cell[name])}
                for key, cell in answers.trend([figure], scope, asked.step).items()
            ]
        return Response(answer)


def chosen_by(request: Request) -> Chosen:
    """Return what the parameters of a request choose; answer 400 if one of them cannot be read."""
    try:
        user = cast(User, request.user)
        form = read(request.query_params, user=user, at=timezone.now(), beside=BESIDE)
    except Misread as misread:
        raise refused(misread.errors) from None
    return chosen(form)


def refused(errors: ParameterErrors) -> ValidationError:
    """Turn the faults of the parameters into an API error, one entry for each parameter."""
    return ValidationError({name: sentences({name: texts}) for name, texts in errors.items()})


def _answer_data(answer: Answer) -> dict[str, Any]:
    money = {"currency": answer.currency} if answer.currency else {}
    value = None if answer.value is None else float(answer.value)
    return {"value": value, "n": answer.n, **money}


def _key(bucket: date | datetime) -> str:
    return bucket.isoformat()
