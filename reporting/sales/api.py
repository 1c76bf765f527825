"""Transactions in the public API: a shop system records purchases and refunds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import APIException, AuthenticationFailed, NotFound, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Website
from reporting.models import Origin, Refund, Transaction
from reporting.sales import keys, recording
from reporting.sales.recording import Conflict, Invalid, Purchase, Unknown


class ByShopKey(BaseAuthentication):
    """``Authorization: Bearer shop_…``: the key of one website; no user stands behind it."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Website] | None:
        scheme, _space, key = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        website = keys.website_of(key.strip())
        if website is None:
            raise AuthenticationFailed(_("This key is not valid."))
        return AnonymousUser(), website

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ShopKeyDescribed(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the description names the key."""

    target_class = "reporting.sales.api.ByShopKey"
    name = "shopKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class HasShopKey(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Website)


class Refused(APIException):
    """The number is already used for something else."""

    status_code = 409
    default_code = "refused"


class PurchaseSerializer(serializers.Serializer[Any]):
    """A purchase. Identify the customer by the browser's id, by your own id, or not at all."""

    id = serializers.CharField(max_length=recording.ID_LIMIT)
    amount = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=Decimal(0))
    currency = serializers.CharField(max_length=3, help_text="ISO 4217")
    made_at = serializers.DateTimeField(required=False, help_text="Defaults to now.")
    visitor = serializers.CharField(required=False, help_text="The Messenger's id for the browser.")
    customer = serializers.CharField(required=False, help_text="Your own id for the customer.")


class RefundSerializer(serializers.ModelSerializer[Refund]):
    id = serializers.CharField(
        source="external_id",
        max_length=recording.ID_LIMIT,
        help_text="Your own number for the refund. Sending it again changes nothing.",
    )
    amount = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        required=False,
        help_text="Defaults to the amount not yet refunded.",
    )

    class Meta:
        model = Refund
        fields = ("id", "amount", "made_at")
        read_only_fields = ("made_at",)


class TransactionSerializer(serializers.ModelSerializer[Transaction]):
    """A purchase with its attribution: the agent, their message and the time between, or the reason
    why no agent is credited."""

    id = serializers.CharField(source="external_id")
    agent = serializers.SlugRelatedField[Any](slug_field="display_name", read_only=True)
    conversation = serializers.IntegerField(source="conversation_id", allow_null=True)
    elapsed = serializers.SerializerMethodField()
    refunds = RefundSerializer(many=True, read_only=True)

    class Meta:
        model = Transaction
        fields = (
            *("id", "amount", "currency", "made_at", "refunded", "refunds"),
            *("origin", "outcome", "agent", "conversation", "message_seq", "elapsed"),
        )
        read_only_fields = fields

    def get_elapsed(self, row: Transaction) -> int | None:
        return None if row.elapsed is None else int(row.elapsed.total_seconds())


class ShopView(APIView):
    authentication_classes = (ByShopKey,)
    permission_classes = (HasShopKey,)

    @property
    def website(self) -> Website:
        return cast(Website, self.request.auth)


@extend_schema(tags=["transactions"])
class TransactionListView(ShopView):
    @extend_schema(
        request=PurchaseSerializer,
        responses={200: TransactionSerializer, 201: TransactionSerializer},
    )
    def post(self, request: Request) -> Response:
        """Record a purchase. Each id counts once. A repeated request answers 200 with the stored
        purchase; the same id with another amount, currency or time answers 409. If the script of a
        page has already reported this id, this request replaces that report (200), which stays on
        record."""
        asked = PurchaseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        fields, at = asked.validated_data, timezone.now()
        try:
            row, is_new = recording.record(
                self.website,
                Purchase(
                    fields["id"],
                    fields["amount"],
                    fields["currency"],
                    fields.get("made_at"),
                ),
                visitor=recording.customer_of(
                    self.website,
                    visitor=fields.get("visitor", ""),
                    person=fields.get("customer", ""),
                ),
                origin=Origin.API,
                at=at,
            )
        except Conflict as conflict:
            raise Refused(str(conflict)) from None
        except Invalid as invalid:
            raise ValidationError(str(invalid)) from None
        return Response(TransactionSerializer(row).data, status=201 if is_new else 200)


@extend_schema(tags=["transactions"])
class TransactionView(ShopView):
    @extend_schema(responses=TransactionSerializer)
    def get(self, request: Request, number: str) -> Response:
        """Retrieve a purchase with its attribution and its refunds."""
        row = Transaction.objects.filter(website=self.website, external_id=number).first()
        if row is None:
            raise NotFound
        return Response(TransactionSerializer(row).data)


@extend_schema(tags=["transactions"])
class RefundListView(ShopView):
    @extend_schema(
        request=RefundSerializer,
        responses={200: TransactionSerializer, 201: TransactionSerializer},
    )
    def post(self, request: Request, number: str) -> Response:
        """Refund a purchase, in part or all that is left of it. Each id counts once."""
        asked = RefundSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        try:
            row, is_new = recording.refund(
                self.website,
                number,
                amount=fields.get("amount"),
                number=fields["external_id"],
                at=timezone.now(),
            )
        except Unknown:
            raise NotFound from None
        except Conflict as conflict:
            raise Refused(str(conflict)) from None
        except Invalid as invalid:
            raise ValidationError(str(invalid)) from None
        return Response(TransactionSerializer(row).data, status=201 if is_new else 200)
