"""The API's URLs."""

from __future__ import annotations

from typing import Any, NoReturn

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path, re_path
from django.views.decorators.http import require_safe
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter

from desk.api.blocks import BlockViewSet
from desk.api.conversations import ConversationViewSet
from desk.api.feed import FeedView
from desk.api.people import PersonViewSet, VisitorViewSet
from desk.api.settings.agents import AgentViewSet, SkillViewSet
from desk.api.settings.groups import GroupViewSet, HolidayViewSet
from desk.api.settings.rules import RuleViewSet, TargetingViewSet
from desk.api.settings.tags import TagViewSet
from desk.api.settings.texts import ArticleViewSet, ReplyViewSet
from desk.api.subscriptions import SubscriptionViewSet
from desk.api.webhooks import WebhookViewSet
from reporting.exports.api import ChartView, ExportViewSet, SheetView
from reporting.figures.api import FigureListView, FigureView
from reporting.sales.api import RefundListView, TransactionListView, TransactionView


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Show the API's documentation, to read and to try, from our own files."""
    return render(request, "api/docs.html")


class SessionDescribed(SessionScheme):  # type: ignore[no-untyped-call]
    """The name of our session authentication in the API's schema."""

    target_class = "config.api.shape.Session"


class TokenDescribed(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names tokens."""

    target_class = "config.api.shape.ByToken"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "causerie_…"}


@extend_schema(exclude=True)
@api_view(["GET", "POST", "PUT", "PATCH", "DELETE"])
@authentication_classes([])
@permission_classes([AllowAny])
def nowhere(request: Request, *args: Any, **kwargs: Any) -> NoReturn:
    """Answer an unknown API address with an error like the others, not a page."""
    raise NotFound


router = SimpleRouter(use_regex_path=False)
router.register("conversations", ConversationViewSet, basename="conversation")
router.register("exports", ExportViewSet, basename="export")
router.register("webhooks", WebhookViewSet, basename="webhook")
router.register("visitors", VisitorViewSet, basename="visitor")
router.register("persons", PersonViewSet, basename="person")
router.register("blocks", BlockViewSet, basename="block")
router.register("agents", AgentViewSet, basename="agent")
router.register("skills", SkillViewSet, basename="skill")
router.register("groups", GroupViewSet, basename="group")
router.register("holidays", HolidayViewSet, basename="holiday")
router.register("rules", RuleViewSet, basename="rule")
router.register("targeting-rules", TargetingViewSet, basename="targeting")
router.register("replies", ReplyViewSet, basename="reply")
router.register("articles", ArticleViewSet, basename="article")
router.register("tags", TagViewSet, basename="tag")
router.register("subscriptions", SubscriptionViewSet, basename="subscription")

schema = SpectacularAPIView.as_view(permission_classes=[AllowAny], authentication_classes=[])

urlpatterns = [
    path("docs/", docs, name="api_docs"),
    path("v1/schema/", schema, name="api_schema"),
    path("v1/events/", FeedView.as_view()),
    path("v1/figures/", FigureListView.as_view()),
    path("v1/figures/<slug:name>/", FigureView.as_view()),
    path("v1/tables/<slug:name>.<slug:kind>", SheetView.as_view()),
    path("v1/charts/<slug:name>.<slug:kind>", ChartView.as_view()),
    path("v1/transactions/", TransactionListView.as_view()),
    path("v1/transactions/<str:number>/", TransactionView.as_view()),
    path("v1/transactions/<str:number>/refunds/", RefundListView.as_view()),
    path("v1/", include((router.urls, "api"))),
    re_path("", nowhere),
]
