"""Reports by e-mail in the public API: the user's own subscriptions."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import rights
from accounts.models import User
from desk.api.settings.fields import Keyed
from reporting.models import Every, SubscribedReport, Subscription
from reporting.reports import subscriptions

REPORT = OpenApiParameter("report", enum=SubscribedReport.values, location="path")


class SubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    """A report that you get by e-mail. Without a website, it covers all that you oversee."""

    report = serializers.ChoiceField(choices=SubscribedReport.choices, read_only=True)
    website = Keyed(required=False, allow_null=True)
    next_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Subscription
        fields = ("report", "every", "website", "next_at")


@extend_schema(tags=["subscriptions"])
class SubscriptionViewSet(mixins.ListModelMixin, GenericViewSet[Subscription]):
    """Your own subscriptions. Those of other users answer 404."""

    noun = "subscriptions"
    serializer_class = SubscriptionSerializer
    lookup_field = "report"
    lookup_value_converter = "slug"

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def get_queryset(self) -> QuerySet[Subscription]:
        if getattr(self, "swagger_fake_view", False) or not rights.oversees(self.user):
            return Subscription.objects.none()
        mine = Subscription.objects.filter(user=self.user).select_related("website")
        return rights.within_token(mine, self.user)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the reports that you get by e-mail."""
        return super().list(request, *args, **kwargs)

    @extend_schema(parameters=[REPORT])
    def update(self, request: Request, report: str) -> Response:
        """Subscribe to a report, or change how often it comes. Supervisors only."""
        if report not in SubscribedReport.values or not rights.oversees(self.user):
            raise NotFound
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        website = asked.validated_data.get("website")
        if website is None and self.user.confined_to is not None:
            # A worker sends the report later, without the limits of this token.
            raise serializers.ValidationError(
                {"website": [_("This token must name one of its websites.")]}
            )
        subscriptions.subscribe(
            self.user,
            SubscribedReport(report),
            Every(asked.validated_data["every"]),
            website=website,
            at=timezone.now(),
        )
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(parameters=[REPORT], responses={204: None})
    def destroy(self, request: Request, report: str) -> Response:
        """Stop the e-mails of a report."""
        self.get_object()
        subscriptions.subscribe(
            self.user, SubscribedReport(report), None, website=None, at=timezone.now()
        )
        return Response(status=204)
