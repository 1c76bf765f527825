"""Asking again who one is before something important: the password, the address, other proofs."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.access import Params, PlainView, StaffRequest, StaffView, staff

PROOFS = frozenset({"password", "mfa", "single_sign_on"})
"""A mailed link opens the account, and is no proof for something important."""


def freshly_proven(*methods: str) -> Callable[[StaffView[Params]], PlainView[Params]]:
    """Restrict a view to users who have proven in the last minutes who they are.

    Others are asked first, and then come back. The library would store the form that they sent in
    the session, with a new password readably in it; here the browser keeps it.
    """

    def decorate(view: StaffView[Params]) -> PlainView[Params]:
        @wraps(view)
        def checked(
            request: StaffRequest, *args: Params.args, **kwargs: Params.kwargs
        ) -> HttpResponse:
            return ask_before(request) or view(request, *args, **kwargs)

        return staff(*methods)(checked)

    return decorate


class AsksAgain:
    """A mixin for pages of the administration whose changes need a fresh proof: forms before they
    are shown and when they are sent, and actions on a list."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self._ask(request, object_id) or super().changeform_view(  # type: ignore[misc]
            request, object_id, form_url, extra_context
        )

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any) -> HttpResponse:
        return self._ask(request, object_id) or super().delete_view(  # type: ignore[misc]
            request, object_id, *args
        )

    def changelist_view(self, request: HttpRequest, *args: Any) -> HttpResponse:
        asked = ask_before(request) if request.method == "POST" else None
        return asked or super().changelist_view(request, *args)  # type: ignore[misc]

    def _ask(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        mine: Any = self
        changes = mine.has_change_permission if object_id else mine.has_add_permission
        return ask_before(request) if changes(request) else None


def ask_before(request: HttpRequest) -> HttpResponse | None:
    """Return a page that asks who one is, or ``None`` if that is fresh.

    A form that has been sent meanwhile stays in the browser and is sent again from there: nothing
    that was typed is lost, and nothing of it is stored.
    """
    if request.method != "POST":
        return ask_again(request)
    onward = reverse("proven")
    asked = ask_again(request, onward)
    if asked is None or asked.status_code != 302:
        return asked
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        # The page that carries the form has a token of its own.
        if name != "csrfmiddlewaretoken"
        for value in values
    ]
    context = {"proof": asked["Location"], "fields": fields, "address": request.get_full_path()}
    return render(request, "accounts/logins/kept_form.html", context, status=403)


def is_fresh(request: HttpRequest) -> bool:
    """Return whether the user of this session has lately proven who they are."""
    proofs = [
        record["at"]
        for record in get_authentication_records(request, request.user)
        if record.get("reauthenticated") and record["method"] in PROOFS
    ]
    return bool(proofs) and time.time() - proofs[-1] < app_settings.REAUTHENTICATION_TIMEOUT


def ask_again(request: HttpRequest, onward: str = "") -> HttpResponse | None:
    """Return the redirect to a page that asks who one is, or ``None`` if that is fresh. From there
    it goes on to ``onward``, or back to the page that was asked for."""
    if is_fresh(request):
        return None
    ways = get_adapter(request).get_reauthentication_methods(request.user)
    if not ways:
        return render(request, "accounts/logins/no_proof.html", status=403)
    query = urlencode({"next": onward or request.get_full_path()})
    return redirect(f"{ways[0]['url']}?{query}")
