"""The demo's application for the desk's toolbar: the customer's orders (docs/apps.md)."""

from __future__ import annotations

import jwt
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.models import ToolbarApp
from messenger.demo.catalogue import CUSTOMERS

NAME = "Orders"


@require_safe
@xframe_options_exempt
def page(request: HttpRequest) -> HttpResponse:
    """Return the page in the frame; ``frame-ancestors`` names the desk's host (docs/apps.md)."""
    if not settings.DEMO:
        raise Http404
    response = render(request, "demo/app.html", {"desk": settings.PUBLIC_URL})
    policy = {"frame-ancestors": [settings.PUBLIC_URL]}
    setattr(response, "_csp_replace", policy)  # noqa: B010 - django-csp asks for it
    return response


@csrf_exempt
@require_POST
def orders(request: HttpRequest) -> HttpResponse:
    """Verify the token, as the application's server, and return that customer's orders."""
    app = ToolbarApp.objects.filter(name=NAME, website__key="demo").first()
    if not settings.DEMO or app is None:
        raise Http404
    try:
        claims = jwt.decode(
            request.POST.get("token", ""),
            app.secret.reveal(),
            algorithms=["HS256"],
            audience=app.origin,
        )
    except jwt.InvalidTokenError:
        return JsonResponse({"error": "token"}, status=403)
    customer = CUSTOMERS.get(claims["visitor"]["external_id"] or "")
    known = {"name": customer.name, "orders": list(ORDERS)} if customer else None
    return JsonResponse({"customer": known, "conversation": claims["conversation"]})


ORDERS = ("CEL-2041 · Lune · 2", "CEL-1987 · Aube · 1")
