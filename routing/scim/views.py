"""The addresses below ``/scim/v2/``: a token, one call, one answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from accounts import rights, tokens
from accounts.audit import acting
from accounts.models import User, Website
from core.rates import counters
from core.rejection import Rejected, TooMany
from core.text.strict_json import parse_object
from routing.scim import resources, verbs
from routing.scim.requests import Invalid, changes_of, changes_to, conditions_of

NOUN = "directory"
SAFE = {"GET", "HEAD"}
USER_FILTERS = {
    "id": "pk",
    "username": "username__iexact",
    "externalid": "external_id",
    "emails": "email__iexact",
    "emails.value": "email__iexact",
    "active": "is_active",
}
GROUP_FILTERS = {"id": "pk", "displayname": "name__iexact", "members.value": "members__user"}
View = Callable[..., HttpResponse]


def by_token(*methods: str) -> Callable[[View], View]:
    """Restrict a view to tokens of administrators with the scope, in one transaction that is
    recorded as the owner's."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in methods:
                return _error(405, "Method not allowed.", Allow=", ".join(methods))
            scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
            token = None
            if scheme.lower() == "bearer":
                token = tokens.find(text.strip(), at=timezone.now())
            try:
                if token is None:
                    # Only failures are counted by address: a token has a count of its own.
                    counters.hit("tokens", address=str(request.META.get("REMOTE_ADDR", "")))
                    challenge = {"WWW-Authenticate": 'Bearer realm="scim"'}
                    return _error(401, "A valid token is missing.", **challenge)
                counters.hit("api", account=f"token:{token.pk}")
            except TooMany as too_many:
                more = {"Retry-After": str(too_many.retry_after)}
                return _error(429, str(too_many.text), **more)
            is_read = request.method in SAFE
            may = tokens.permits(token, NOUN, writes=not is_read)
            if not may or not rights.administers(token.owner):
                return _error(403, "This token does not permit that.")
            try:
                if is_read:
                    return view(request, token.owner, *args, **kwargs)
                with acting(token.owner):
                    return view(request, token.owner, *args, **kwargs)
            except Invalid as invalid:
                return _error(400, str(invalid), kind=invalid.kind)
            except Rejected as rejected:
                return _error(400, str(rejected.text), kind="invalidSyntax")
            except verbs.Taken:
                return _error(409, "Another one has this name.", kind="uniqueness")

        return run

    return decorate


@by_token("GET", "POST")
def users(request: HttpRequest, owner: User) -> HttpResponse:
    if request.method == "GET":
        listed = _filtered(request, resources.users(), USER_FILTERS)
        return _page(request, listed, resources.show_user)
    user = verbs.create_user(changes_to(parse_object(request.body)))
    return _one(request, resources.show_user(_user(user.pk), root_of(request)), status=201)


@by_token("GET", "PUT", "PATCH", "DELETE")
def user(request: HttpRequest, owner: User, pk: int) -> HttpResponse:
    chosen = resources.users().filter(pk=pk)
    if request.method != "GET":
        # Of two requests with the same If-Match, one must see the other's version.
        chosen = chosen.select_for_update(of=("self",))
    row = chosen.first()
    if row is None:
        return _error(404, "There is no such user.")
    shown = resources.show_user(row, root_of(request))
    if refused := _refused(request, shown):
        return refused
    if request.method == "GET":
        return _one(request, shown)
    if row.pk == owner.pk:
        return _error(403, "A token does not change its own account.")
    verbs.change_user(row, _wanted(request, gone={"active": False}))
    if request.method == "DELETE":
        return HttpResponse(status=204)
    return _one(request, resources.show_user(_user(pk), root_of(request)))


@by_token("GET", "POST")
def groups(request: HttpRequest, owner: User) -> HttpResponse:
    among = rights.groups_of(owner)
    if request.method == "GET":
        listed = _filtered(request, resources.groups(among), GROUP_FILTERS)
        return _page(request, listed, resources.show_group)
    website = _only_website(owner)
    group = verbs.create_group(website.pk, changes_to(parse_object(request.body)))
    fresh = get_object_or_404(resources.groups(among), pk=group.pk)
    return _one(request, resources.show_group(fresh, root_of(request)), status=201)


@by_token("GET", "PUT", "PATCH", "DELETE")
def group(request: HttpRequest, owner: User, pk: int) -> HttpResponse:
    chosen = resources.groups(rights.groups_of(owner)).filter(pk=pk)
    if request.method != "GET":
        chosen = chosen.select_for_update(of=("self",))
    row = chosen.first()
    if row is None:
        return _error(404, "There is no such group.")
    shown = resources.show_group(row, root_of(request))
    if refused := _refused(request, shown):
        return refused
    if request.method == "GET":
        return _one(request, shown)
    # Rules and figures name a group: it is emptied here, and deleted in the administration.
    verbs.change_group(row, _wanted(request, gone={"members": []}))
    if request.method == "DELETE":
        return HttpResponse(status=204)
    fresh = get_object_or_404(resources.groups(rights.groups_of(owner)), pk=pk)
    return _one(request, resources.show_group(fresh, root_of(request)))


@by_token("GET")
def configuration(request: HttpRequest, owner: User) -> HttpResponse:
    return _answer(resources.configuration(root_of(request)))


@by_token("GET")
def described(request: HttpRequest, owner: User, what: str, name: str = "") -> HttpResponse:
    """Answer with all resource types or schemas, or with one of them."""
    makers = {"ResourceTypes": resources.types, "Schemas": resources.schemas}
    rows = makers[what](root_of(request))
    if not name:
        return _answer(resources.show_list(rows, total=len(rows), start=1))
    for one in rows:
        if one["id"] == name:
            return _answer(one)
    return _error(404, "There is no such description.")


def root_of(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("scim_users")).rpartition("/")[0]


def _user(pk: int) -> User:
    return resources.users().get(pk=pk)


def _wanted(request: HttpRequest, *, gone: dict[str, Any]) -> Any:
    if request.method == "DELETE":
        return changes_to(gone)
    body = parse_object(request.body)
    return changes_of(body) if request.method == "PATCH" else changes_to(body)


def _only_website(owner: User) -> Website:
    websites = list(rights.websites_of(owner)[:2])
    if len(websites) != 1:
        raise Invalid("invalidValue", "Limit the token to the website that gets the group.")
    return websites[0]


def _filtered(request: HttpRequest, rows: QuerySet[Any], columns: dict[str, str]) -> QuerySet[Any]:
    for name, value in conditions_of(request.GET.get("filter", "")).items():
        column = columns.get(name)
        if column is None:
            raise Invalid("invalidFilter", "This attribute cannot be filtered by.")
        if column in {"pk", "members__user"}:
            number = value if isinstance(value, str) else ""
            is_id = number.isascii() and number.isdigit() and len(number) < 19
            rows = rows.filter(**{column: int(number)}) if is_id else rows.none()
        elif isinstance(value, bool) != (column == "is_active"):
            rows = rows.none()
        else:
            rows = rows.filter(**{column: value})
    return rows


def _page(request: HttpRequest, rows: QuerySet[Any], show: Callable[..., Any]) -> HttpResponse:
    start = max(1, _number(request, "startIndex", 1))
    count = min(max(0, _number(request, "count", 100)), resources.LARGEST_PAGE)
    shown = [show(row, root_of(request)) for row in rows[start - 1 : start - 1 + count]]
    return _answer(resources.show_list(shown, total=rows.count(), start=start))


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    digits = text.removeprefix("-")
    if not text or not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        return default
    return int(text)


def _refused(request: HttpRequest, shown: dict[str, Any]) -> HttpResponse | None:
    """Refuse a change of something that has changed meanwhile (RFC 7232)."""
    version = shown["meta"]["version"]
    wanted = request.headers.get("If-Match", "*")
    if request.method != "GET" and wanted not in {"*", version}:
        return _error(412, "It has changed meanwhile.")
    return None


def _one(request: HttpRequest, shown: dict[str, Any], *, status: int = 200) -> HttpResponse:
    version = shown["meta"]["version"]
    if request.method == "GET" and request.headers.get("If-None-Match") == version:
        response = HttpResponse(status=304)
    else:
        response = _answer(shown, status=status)
        response["Location"] = shown["meta"]["location"]
    response["ETag"] = version
    return response


def _answer(content: dict[str, Any], *, status: int = 200) -> HttpResponse:
    kind = "application/scim+json; charset=utf-8"
    return HttpResponse(json.dumps(content), status=status, content_type=kind)


def _error(status: int, detail: str, *, kind: str = "", **headers: str) -> HttpResponse:
    content = {"schemas": [resources.ERROR], "status": str(status), "detail": detail}
    response = _answer(content | ({"scimType": kind} if kind else {}), status=status)
    for name, value in headers.items():
        response[name] = value
    return response
