"""The demo shop: pages, cart, customers, orders."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import ToolbarApp, Website

pytestmark = pytest.mark.django_db

PAGES = ["/demo/", "/demo/products/lune/", "/demo/cart/", "/demo/account/"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_embeds_the_messenger(client: Client, page: str, language: str) -> None:
    response = client.get(page, headers={"Accept-Language": language})
    html = response.content.decode()
    assert f'<html lang="{language}">' in html
    assert '<script async src="/embed.js" data-website="demo"></script>' in html


@pytest.mark.parametrize("page", PAGES)
def test_the_shop_is_absent_when_the_demo_is_off(
    client: Client, settings: Settings, page: str
) -> None:
    settings.DEMO = False
    assert client.get(page).status_code == 404


def test_a_customer_places_an_order(client: Client) -> None:
    client.post("/demo/account/", {"customer": "C-1042"})
    client.post("/demo/cart/", {"product": "aube"})
    client.post("/demo/cart/", {"product": "aube"})
    client.post("/demo/cart/", {"product": "lune", "quantity": "1"})
    client.post("/demo/cart/", {"product": "lune", "quantity": "0"})
    response = client.post("/demo/order/", follow=True)
    html = response.content.decode()
    # Two candles of 38 euros, and 4.90 for delivery, which is free from 80 on.
    assert 'data-amount="80.90"' in html
    assert 'data-currency="EUR"' in html
    assert "Jeanne Martin" in html
    number = response.redirect_chain[-1][0].split("/")[-2]
    assert number in client.get("/demo/account/").content.decode()
    assert client.get(reverse("demo:cart")).context["cart"].count == 0


@pytest.mark.parametrize("quantity", ["99", "-1", "x", "1" * 5000])
def test_an_invalid_quantity_is_limited(client: Client, quantity: str) -> None:
    client.post("/demo/cart/", {"product": "aube", "quantity": quantity})
    assert client.get("/demo/cart/").context["cart"].count in {1, 9}


def test_unknown_products_and_orders_are_not_found(client: Client) -> None:
    assert client.get("/demo/products/nothing/").status_code == 404
    assert client.post("/demo/cart/", {"product": "nothing"}).status_code == 404
    assert client.get("/demo/order/MC-1/").status_code == 404


def test_an_empty_cart_cannot_be_ordered(client: Client) -> None:
    assert client.post("/demo/order/").headers["Location"] == "/demo/cart/"


def test_the_demos_application_follows_the_port(settings: Settings) -> None:
    call_command("demo", verbosity=0)
    ToolbarApp.objects.create(
        website=Website.objects.get(key="demo"), name="Own", url="http://localhost:8000/mine/"
    )
    settings.PORT = 9123
    call_command("demo", verbosity=0)
    urls = set(ToolbarApp.objects.values_list("url", flat=True))
    assert urls == {"http://localhost:9123/demo/app/", "http://localhost:8000/mine/"}
