"""Which pages may use the microphone, the camera and the screen: only those with calls."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from accounts.models import Calls, Website
from core.browser_features import FOR_CALLS, WITHOUT_CALLS


def forbid_devices(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Set ``Permissions-Policy`` on pages, unless the view has done so."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if is_page and not response.has_header("Permissions-Policy"):
            response["Permissions-Policy"] = FOR_CALLS if _may_call(request) else WITHOUT_CALLS
        return response

    return respond


def _may_call(request: HttpRequest) -> bool:
    """Return whether the page is of an agent of a website with calls. They ring on every page of
    the staff; fragments have no policy of their own."""
    user = getattr(request, "user", None)
    if request.headers.get("HX-Request") == "true" or user is None or not user.is_authenticated:
        return False
    websites = Website.objects.exclude(calls=Calls.OFF)
    return websites.filter(groups__members__user=user).exists()
