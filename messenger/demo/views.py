"""The pages of the demo shop. Everything that a customer does is stored in the session."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

import jwt
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import identities
from accounts.models import Website
from core import browser_features
from messenger.demo.catalogue import CUSTOMERS, PRODUCTS, Customer, cart_of

WEBSITE_KEY = "demo"
MOST_OF_ONE = 9
IDENTITY_SECONDS = 3600
# Our own session keys; the desk shares the session if one browser visits both.
CART, CUSTOMER, ORDERS = "demo_cart", "demo_customer", "demo_orders"

View = Callable[..., HttpResponse]


def shop(view: View) -> View:
    """Restrict a page of the shop to installations with DEMO on."""

    @wraps(view)
    def opened(request: HttpRequest, **parts: Any) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request, **parts)

    return opened


def _page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    context |= {
        "website_key": WEBSITE_KEY,
        "cart": cart_of(request.session.get(CART, {})),
        "customer": CUSTOMERS.get(request.session.get(CUSTOMER, "")),
        "language": translation.get_language(),
    }
    context["identity"] = _identity_of(context["customer"])
    response = render(request, f"demo/{name}.html", context)
    # As on any brand's site, the page lets the Messenger's frame have what calls need.
    response["Permissions-Policy"] = browser_features.FOR_CALLS
    return response


def _identity_of(customer: Customer | None) -> str:
    """Sign the logged-in customer with the website's secret, as a shop's server does (C14)."""
    at = timezone.now()
    website = Website.objects.filter(key=WEBSITE_KEY).first() if customer else None
    secrets_now = identities.accepted(website, at=at) if website else []
    if customer is None or not secrets_now:
        return ""
    claims = {
        "sub": customer.external_id,
        "aud": WEBSITE_KEY,
        "exp": int(at.timestamp()) + IDENTITY_SECONDS,
        "name": customer.name,
        "email": customer.email,
    }
    return jwt.encode(claims, secrets_now[0], algorithm="HS256")


@require_safe
@shop
def home(request: HttpRequest) -> HttpResponse:
    return _page(request, "home", products=PRODUCTS.values())


@require_safe
@shop
def product(request: HttpRequest, slug: str) -> HttpResponse:
    if slug not in PRODUCTS:
        raise Http404
    others = [other for other in PRODUCTS.values() if other.slug != slug][:3]
    return _page(request, "product", product=PRODUCTS[slug], others=others)


@require_http_methods(["GET", "HEAD", "POST"])
@shop
def cart(request: HttpRequest) -> HttpResponse:
    """Show the cart; a POST sets the quantity of a product, or adds one."""
    if request.method == "POST":
        slug = request.POST.get("product", "")
        if slug not in PRODUCTS:
            raise Http404
        quantities = request.session.get(CART, {})
        asked = request.POST.get("quantity", "")
        is_number = asked.isdecimal() and len(asked) <= 2
        quantity = int(asked) if is_number else quantities.get(slug, 0) + 1
        quantities[slug] = min(quantity, MOST_OF_ONE)
        request.session[CART] = {slug: n for slug, n in quantities.items() if n}
        return redirect("demo:cart")
    return _page(request, "cart")


@require_http_methods(["GET", "HEAD", "POST"])
@shop
def account(request: HttpRequest) -> HttpResponse:
    """Log in as one of the demo customers, or out again."""
    if request.method == "POST":
        customer = request.POST.get("customer", "")
        if customer in CUSTOMERS:
            request.session[CUSTOMER] = customer
        else:
            request.session.pop(CUSTOMER, None)
        return redirect("demo:account")
    orders = request.session.get(ORDERS, [])
    return _page(request, "account", customers=CUSTOMERS.values(), orders=orders)


@require_POST
@shop
def order(request: HttpRequest) -> HttpResponse:
    """Buy what is in the cart. Nothing is charged or sent."""
    bought = cart_of(request.session.pop(CART, {}))
    if not bought.lines:
        return redirect("demo:cart")
    number = f"MC-{secrets.randbelow(900_000) + 100_000}"
    orders = request.session.get(ORDERS, [])
    orders.insert(0, {"number": number, "total": str(bought.total), "count": bought.count})
    request.session[ORDERS] = orders[:20]
    return redirect("demo:thanks", number=number)


@require_safe
@shop
def thanks(request: HttpRequest, number: str) -> HttpResponse:
    """Show the page after an order, on which a shop reports the transaction to the Messenger."""
    orders = request.session.get(ORDERS, [])
    bought = next((order for order in orders if order["number"] == number), None)
    if bought is None:
        raise Http404
    return _page(request, "thanks", order=bought)
