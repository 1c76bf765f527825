"""Webhooks in the public API, for administrators: settings, log, and what one does with them."""

from __future__ import annotations

import json
from typing import Any, cast

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import rights
from accounts.models import User, Website
from conversations.models import Webhook, WebhookDelivery
from conversations.models.webhooks import Trouble
from conversations.webhooks import events, payloads, verbs
from desk.api.contents import LIST
from desk.api.editing import IF_MATCH, Edited
from desk.api.freshness import FreshOrToken
from desk.api.refusal import checked
from desk.api.serializers import Empty


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """A receiver of the events of one website."""

    id = serializers.IntegerField(source="pk", read_only=True)
    website = serializers.SlugRelatedField[Any](
        slug_field="key", queryset=Website.objects.all(), help_text="The website's key."
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=[name for name, _label in events.CHOICES]),
        allow_empty=False,
    )
    owner = serializers.SlugRelatedField[Any](
        slug_field="username", read_only=True, allow_null=True
    )
    paused_at = serializers.DateTimeField(
        source="progress.paused_at", read_only=True, allow_null=True
    )
    pause_reason = serializers.CharField(source="progress.pause_reason", read_only=True)
    failing_since = serializers.DateTimeField(
        source="progress.failing_since", read_only=True, allow_null=True
    )

    class Meta:
        model = Webhook
        fields = (
            *("id", "website", "name", "url", "format", "events", "owner"),
            *("is_enabled", "created_at", "paused_at", "pause_reason", "failing_since"),
        )
        read_only_fields = ("created_at",)

    def validate_url(self, url: str) -> str:
        verbs.check_url(url)
        return url

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        chosen = attrs.get("events", getattr(self.instance, "events", []))
        format = attrs.get("format", getattr(self.instance, "format", "standard"))
        verbs.check_events(chosen, format=format)
        return attrs


class SecretSerializer(serializers.Serializer[Any]):
    """A new secret. The former one signs, too, for 24 hours."""

    secret = serializers.CharField()


class NewWebhookSerializer(WebhookSerializer):
    """A new webhook with its secret, which is not shown again."""

    secret = serializers.CharField(source="secret.reveal", read_only=True)

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")  # type: ignore[assignment]


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """A delivery and how its last attempt ended. `payload` is null once it was erased."""

    id = serializers.IntegerField(source="pk", read_only=True)
    webhook_id = serializers.SerializerMethodField(help_text="The header `webhook-id`.")
    type = serializers.CharField(source="kind")
    state = serializers.SerializerMethodField(help_text="`owed`, `delivered` or `parked`.")
    payload = serializers.SerializerMethodField()
    trouble = Empty(Trouble.choices, help_text="Why the last attempt failed; empty otherwise.")

    class Meta:
        model = WebhookDelivery
        fields = (
            *("id", "webhook_id", "type", "conversation", "state", "is_repeat", "created_at"),
            *("due_at", "attempts", "tried_at", "delivered_at", "parked_at"),
            *("trouble", "status", "duration_ms", "answer", "payload"),
        )
        read_only_fields = fields

    def get_webhook_id(self, delivery: WebhookDelivery) -> str:
        return payloads.name_of(delivery)

    def get_state(self, delivery: WebhookDelivery) -> str:
        if delivery.is_owed:
            return "owed"
        return "delivered" if delivery.delivered_at else "parked"

    def get_payload(self, delivery: WebhookDelivery) -> dict[str, Any] | None:
        bodies: dict[int, str] = self.context.get("bodies", {})
        body = bodies.get(delivery.pk)
        return None if body is None else json.loads(body)


class DeliveryFilterSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=["owed", "delivered", "parked"], required=False)


class ReplaySerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField(help_text="Everything since then is sent again.")


@extend_schema(tags=["webhooks"])
@extend_schema_view(
    retrieve=extend_schema(description="Retrieve a webhook."),
    list=extend_schema(description="List the webhooks, newest first."),
)
class WebhookViewSet(
    Edited,
    mixins.ListModelMixin,
    GenericViewSet[Webhook],
):
    """Receivers of events. Only administrators see them; all others get 404."""

    noun = "webhooks"
    # They decide where data are sent, and show the secret.
    important = frozenset(
        {"create", "partial_update", "destroy", "rotate", "resume", "test", "replay"}
    )
    serializer_class = WebhookSerializer
    lookup_url_kwarg = "number"
    lookup_value_converter = "int"

    def get_permissions(self) -> list[Any]:
        return [*super().get_permissions(), FreshOrToken()]

    def get_queryset(self) -> QuerySet[Webhook]:
        if getattr(self, "swagger_fake_view", False):
            return Webhook.objects.none()
        mine = Webhook.objects.filter(website__in=self._websites())
        return mine.select_related("website", "owner", "progress")

    def _websites(self) -> QuerySet[Website]:
        user = cast(User, self.request.user)
        return rights.websites_of(user) if rights.administers(user) else Website.objects.none()

    def retrieve(self, request: Request, number: int) -> Response:
        return self.shown(self.get_object())

    @extend_schema(request=WebhookSerializer, responses={201: NewWebhookSerializer})
    def create(self, request: Request) -> Response:
        """Add a webhook, which receives what happens from now on. Its owner is you."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if not self._websites().filter(pk=asked.validated_data["website"].pk).exists():
            raise NotFound
        with self.adding():
            webhook = Webhook(owner=cast(User, request.user), **asked.validated_data)
            webhook.validate_constraints()
            verbs.create(webhook, at=timezone.now())
        return Response(NewWebhookSerializer(webhook).data, status=201)

    @extend_schema(parameters=[IF_MATCH], request=WebhookSerializer)
    def partial_update(self, request: Request, number: int) -> Response:
        """Change a webhook. Its website stays."""
        with self.editing() as webhook:
            asked = self.get_serializer(webhook, data=request.data, partial=True)
            asked.is_valid(raise_exception=True)
            asked.validated_data.pop("website", None)
            for name, value in asked.validated_data.items():
                setattr(webhook, name, value)
            webhook.validate_constraints()
            webhook.save()
        return self.shown(self.get_object())

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def destroy(self, request: Request, number: int) -> Response:
        """Delete a webhook with its log."""
        with self.editing() as webhook:
            webhook.delete()
        return Response(status=204)

    @extend_schema(request=None, responses=SecretSerializer)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, number: int) -> Response:
        """Replace the secret."""
        with self.editing() as webhook:
            secret = verbs.rotate(webhook, at=timezone.now())
        return Response({"secret": secret})

    @extend_schema(request=None, responses=WebhookSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, number: int) -> Response:
        """Send to a paused or failing webhook at once, from where it stopped."""
        with self.editing() as webhook:
            verbs.resume(Webhook.objects.filter(pk=webhook.pk), at=timezone.now())
        return self.shown(self.get_object())

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, number: int) -> Response:
        """Send a test event, whatever events were chosen."""
        delivery = verbs.test(self.get_object(), at=timezone.now())
        return Response(self._deliveries([delivery])[0], status=202)

    @extend_schema(request=ReplaySerializer, responses={202: WebhookSerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, number: int) -> Response:
        """Send everything since a moment again, with the same ids. The feed reaches back 90
        days."""
        with self.editing() as webhook:
            asked = checked(request, ReplaySerializer, "data")
            verbs.replay(webhook, since=asked["since"])
        return self.shown(self.get_object(), 202)

    @extend_schema(
        parameters=[*LIST, DeliveryFilterSerializer], responses=DeliverySerializer(many=True)
    )
    @action(detail=True)
    def deliveries(self, request: Request, number: int) -> Response:
        """List the deliveries, newest first, with what was sent and answered."""
        rows = self.get_object().deliveries.select_related("webhook__website", "webhook__owner")
        state = checked(request, DeliveryFilterSerializer).get("state")
        if state == "owed":
            rows = rows.filter(delivered_at=None, parked_at=None)
        elif state:
            rows = rows.filter(**{f"{state}_at__isnull": False})
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(self._deliveries(page))

    @extend_schema(request=None, responses={202: DeliverySerializer, 404: None, 409: None})
    @action(detail=True, methods=["post"], url_path="deliveries/<int:delivery>/send-again")
    def send_again(self, request: Request, number: int, delivery: int) -> Response:
        """Send a delivery that has ended once more, with the same id."""
        mine = WebhookDelivery.objects.filter(webhook=self.get_object(), pk=delivery)
        again = verbs.send_again(mine, at=timezone.now())
        if not again:
            raise NotFound
        return Response(self._deliveries(again)[0], status=202)

    def _deliveries(self, rows: list[WebhookDelivery]) -> list[dict[str, Any]]:
        bodies = payloads.bodies_of(rows[0].webhook, rows) if rows else {}
        data: Any = DeliverySerializer(rows, many=True, context={"bodies": bodies}).data
        return list(data)
