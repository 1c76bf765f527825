"""The checks that every view of the Messenger shares, and the one shape of its errors."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.models import Website
from messenger import urls

pytestmark = pytest.mark.django_db

BRAND = "https://www.example.com"
FOREIGN = "https://evil.example"
PAGE_ONLY = {"", "state/"}  # read by GET, with a token or without anything to protect
OWN_PERMISSION = {"unsubscribe/<str:word>/"}  # a signed word, posted by mail programs
OF_BRAND = {"transactions/"}


def posted() -> list[str]:
    """Return each address below a website's Messenger that accepts POST."""
    (inner,) = [one for one in urls.urlpatterns if str(one.pattern) == "messenger/<str:key>/"]
    paths = {str(one.pattern) for one in inner.url_patterns} - PAGE_ONLY - OWN_PERMISSION
    return sorted(re.sub(r"<uuid:\w+>", str(uuid.UUID(int=0)), path) for path in paths)


def ask(path: str, body: str = "{}", kind: str = "application/json", **headers: str) -> Any:
    return Client().post(f"/messenger/celeste/{path}", body, content_type=kind, headers=headers)


def code(response: Any) -> tuple[int, str]:
    assert set(response.json()) == {"error"}
    assert set(response.json()["error"]) == {"code", "message"}
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize("path", posted())
def test_every_view_refuses_other_pages_methods_and_websites(website: Website, path: str) -> None:
    foreign = ask(path, Origin=FOREIGN)
    assert code(foreign) == (403, "origin")
    assert "Access-Control-Allow-Origin" not in foreign
    assert foreign["Cache-Control"] == "no-store"
    wrong = Client().delete(f"/messenger/celeste/{path}")
    assert (code(wrong), wrong["Allow"]) == ((405, "method"), "POST")
    unknown = Client().post(f"/messenger/nobody/{path}", "{}", content_type="application/json")
    assert code(unknown) == (404, "unknown_website")


@pytest.mark.parametrize("path", posted())
def test_only_purchases_are_accepted_from_pages_of_the_brand(website: Website, path: str) -> None:
    response = ask(path, Origin=BRAND)
    if path in OF_BRAND:
        assert code(response) == (400, "invalid")
        assert response["Access-Control-Allow-Origin"] == BRAND
    else:
        assert code(response) == (403, "origin")


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("text/html", "{}", (400, "invalid")),
        ("application/jsonp", "{}", (400, "invalid")),
        ("application/json", "[]", (400, "invalid")),
        ("application/json", '{"a": 1, "a": 2}', (400, "invalid")),
        ("application/json", json.dumps({"a": "x" * 70_000}), (413, "too_long")),
        ("application/json; charset=utf-8", "{}", (403, "consent")),
    ],
)
def test_bodies_must_be_json_objects_of_a_valid_size(
    website: Website, kind: str, body: str, expected: tuple[int, str]
) -> None:
    assert code(ask("visitors/", body, kind)) == expected


@pytest.mark.parametrize("path", ["visitors/", "transactions/"])
def test_without_the_database_views_answer_503(
    website: Website, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def lost(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr("messenger.views.visitor_request.parse_object", lost)
    response = ask(path, Origin=BRAND if path in OF_BRAND else "http://testserver")
    assert (code(response), response["Retry-After"]) == ((503, "unavailable"), "2")
    assert response.has_header("Access-Control-Allow-Origin") is (path in OF_BRAND)
