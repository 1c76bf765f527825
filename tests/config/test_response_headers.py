"""Security headers of whatever answers: pages, raw endpoints, files, probes and refusals."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from config import http_security
from config.response_headers import missing
from tests.config.test_asgi import UPLOAD, asked, engines_at_rest

__all__ = ["engines_at_rest"]

PAGES = ["/login/", "/embed.js", "/static/base/base.css", "/api/docs/", "/demo/", "/nothing/here/"]
RAW = ["/messenger/demo/engagement/", "/messenger/demo/conversations/x/messages/", "/healthz"]
PROGRAMS = ["/api/v1/conversations/", "/scim/v2/Users", "/metrics", "/admin/"]
YEAR = 31536000


def header(start: Any, name: bytes) -> str:
    values = [value.decode() for one, value in start["headers"] if one.lower() == name]
    assert len(values) == 1, (name, values)
    return values[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
@pytest.mark.parametrize("path", [*PAGES, *RAW, *PROGRAMS])
async def test_every_response_has_them(path: str, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = YEAR
    start, *_body = await asked("GET", path)
    check(start)
    kind = header(start, b"content-type")
    assert not kind.startswith("text/") or "charset" in kind


async def test_refusals_before_any_view_have_them(settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = YEAR
    for path, method in (("/login/", "POST"), (UPLOAD, "PUT")):
        start, _body = await asked(method, path, None, (b"content-length", b"999999999"))
        assert start["status"] == 413
        check(start)


def check(start: Any) -> None:
    assert header(start, b"x-content-type-options") == "nosniff"
    assert header(start, b"referrer-policy") == "same-origin"
    assert header(start, b"strict-transport-security").startswith(
        f"max-age={YEAR}; includeSubDomains"
    )
    policy = dict(
        one.strip().partition(" ")[::2]
        for one in header(start, b"content-security-policy").split(";")
    )
    assert policy["frame-ancestors"] in ("'none'", "'self'")
    nothing = policy["default-src"] == "'none'"
    assert nothing or policy["object-src"] == policy["base-uri"] == "'none'"
    assert "'unsafe-inline'" not in policy.get("script-src", "")


def test_what_a_view_has_set_stays() -> None:
    given = [(b"Referrer-Policy", b"no-referrer"), (b"Content-Security-Policy", b"sandbox")]
    assert [name for name, _value in missing(given)] == [b"x-content-type-options"]


async def test_nothing_insists_on_https_where_there_is_none(settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 0
    assert b"strict-transport-security" not in dict(missing([]))


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT"])
async def test_no_method_repeats_a_request(method: str) -> None:
    start, body = await asked(method, "/login/", None, (b"cookie", b"secret=1"))
    assert (start["status"], body["body"]) == (405, b"")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
@pytest.mark.parametrize("path", ["/static/", "/static/base/", "/media/", "/.git/config"])
async def test_no_folder_is_listed_and_no_other_file_is_served(path: str) -> None:
    start, *_body = await asked("GET", path)
    assert start["status"] == 404


def test_cookies_are_for_this_host_over_https_only() -> None:
    named = http_security.settings(https=True)
    cookies = {name for name in named if name.endswith("_COOKIE_NAME")}
    assert len(cookies) == 4
    assert all(named[name].startswith("__Host-") for name in cookies)
    assert all(value for name, value in named.items() if name.endswith("_COOKIE_SECURE"))
    same_site = {name: value for name, value in named.items() if name.endswith("_SAMESITE")}
    assert set(same_site.values()) == {"Lax"}
    for name in ("SESSION", "CSRF", "LANGUAGE"):
        assert named[f"{name}_COOKIE_HTTPONLY"] is True
