"""Views of second factors: the library's, with our pages, in the user's time zone and name."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import (
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.totp.internal import flows as app_flows
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.internal import auth as passkeys
from allauth.mfa.webauthn.internal import flows as passkey_flows
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    LoginWebAuthnView,
    ReauthenticateWebAuthnView,
)
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.access import StaffRequest, staff, wrong_method
from accounts.audit import acting
from accounts.logins import second_factors
from accounts.logins.reauthentication import freshly_proven
from core.rates import counters
from core.rejection import TooMany

MINUTES = 10
"""How long a browser has for a passkey, before anybody is known."""


class _Refusing:
    """Answers 429 where the form counted too many attempts."""

    def render_to_response(self, context: dict[str, Any], **how: Any) -> HttpResponse:
        response: HttpResponse = super().render_to_response(context, **how)  # type: ignore[misc]
        seconds = getattr(context.get("form"), "retry_after", None)
        if seconds is not None:
            response.status_code = 429
            response["Retry-After"] = str(seconds)
        return response


class SecondStep(_Refusing, AuthenticateView):
    """The second step of a login."""

    template_name = "accounts/logins/second_step.html"
    http_method_names = ["get", "post"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        types = set(
            Authenticator.objects.filter(user_id=self.stage.login.user.pk).values_list(
                "type", flat=True
            )
        )
        return context | {
            "has_app": Authenticator.Type.TOTP in types,
            "has_passkey": Authenticator.Type.WEBAUTHN in types,
        }


class ProveByCode(_Refusing, ReauthenticateView):
    """A code, asked again before something important."""

    template_name = "accounts/logins/prove_by_code.html"


class ProveByPasskey(ReauthenticateWebAuthnView):
    """A passkey, asked again before something important."""

    template_name = "accounts/logins/prove_by_passkey.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        page: HttpResponse = self.render_to_response(self.get_context_data(form=form))
        return page


class AddApp(_Refusing, ActivateTOTPView):
    """Scan a picture with an authenticator app, and type its first code."""

    template_name = "accounts/logins/add_app.html"


class AddPasskey(AddWebAuthnView):
    """Create a passkey on this device or on a security key."""

    template_name = "accounts/logins/add_passkey.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        form = kwargs.get("form") or context.get("form") or self.get_form()
        options = passkeys.begin_registration(self.request.user, passwordless=True)
        return context | {"form": form, "js_data": {"creation_options": options}}


class Codes(ViewRecoveryCodesView):
    """The recovery codes, shown once."""

    template_name = "accounts/logins/recovery_codes.html"


class NewCodes(GenerateRecoveryCodesView):
    """Replace the recovery codes."""

    template_name = "accounts/logins/new_codes.html"


class PasskeyLogin(LoginWebAuthnView):
    """A login by a passkey alone: a challenge as JSON, then its answer as a form."""

    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            counters.hit("passkeys", address=str(request.META.get("REMOTE_ADDR", "")))
        except TooMany as too_many:
            messages.error(request, too_many.text)
            page = redirect("login")
            page["Retry-After"] = str(too_many.retry_after)
            return page
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not get_adapter().is_ajax(request):
            return redirect("login")
        options = passkeys.begin_authentication()
        # The challenge is stored in the session; ``AccountAdapter.login`` ends this short life.
        request.session.set_expiry(MINUTES * 60)
        return JsonResponse({"request_options": options})

    def form_invalid(self, form: Any) -> HttpResponse:
        messages.error(self.request, " ".join(form.errors.get("credential", [])))
        return redirect("login")


def signed(view: Any) -> Any:
    """Let only logged-in users in, and record what the view changes as theirs."""

    @staff("GET", "POST")
    def run(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "GET":
            return _rendered(view(request, *args, **kwargs))
        with acting(request.user):
            return _rendered(view(request, *args, **kwargs))

    return run


def _rendered(response: Any) -> HttpResponse:
    """Render within the time zone and the transaction of the request."""
    if hasattr(response, "render"):
        response.render()
    return response  # type: ignore[no-any-return]


@staff("GET")
def second_factor(request: StaffRequest) -> HttpResponse:
    """Choose what to set up."""
    context = {
        "tab": "account",
        "has_app": Authenticator.objects.filter(
            user=request.user, type=Authenticator.Type.TOTP
        ).exists(),
        "must_set_up": second_factors.must_set_up(request.user),
    }
    return render(request, "accounts/logins/second_factor.html", context)


@freshly_proven("GET", "POST")
def remove_factor(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask, then remove an authenticator app or a passkey."""
    factor = get_object_or_404(
        Authenticator, pk=pk, user=request.user, type__in=second_factors.REAL
    )
    is_app = factor.type == Authenticator.Type.TOTP
    if request.method == "POST":
        with acting(request.user):
            remove = app_flows.deactivate_totp if is_app else passkey_flows.remove_authenticator
            remove(request, factor)
        gone = _("The authenticator app has been removed.")
        messages.success(request, gone if is_app else _("The passkey has been removed."))
        return redirect("account")
    context = {"tab": "account", "is_app": is_app, "factor": factor}
    return render(request, "accounts/logins/remove_factor.html", context)


def second_step(request: HttpRequest) -> HttpResponse:
    """The second step of a login, for browsers that have taken the first."""
    if request.method not in {"GET", "POST"}:
        return wrong_method(request, ("GET", "POST"))
    return _rendered(SecondStep.as_view()(request))


def passkey_login(request: HttpRequest) -> HttpResponse:
    """Log in by a passkey alone."""
    if request.method not in {"GET", "POST"}:
        return wrong_method(request, ("GET", "POST"))
    return PasskeyLogin.as_view()(request)  # type: ignore[no-any-return]
