"""Views of a forgotten password and of the user's own account."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.access import StaffRequest, staff, wrong_method
from accounts.audit import acting
from accounts.logins import own_email, passwords, second_factors, sessions
from accounts.logins.forms import EmailForm, ForgottenForm, PasswordAgainForm
from accounts.logins.reauthentication import ask_again, freshly_proven
from accounts.models import IdentityProvider, User
from core.rejection import TooMany


def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link to choose a new password. The answer is the same for every name."""
    if request.method not in {"GET", "POST"}:
        return wrong_method(request, ("GET", "POST"))
    form = ForgottenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            address = str(request.META.get("REMOTE_ADDR", ""))
            passwords.ask_for_link(form.cleaned_data["login"], address=address)
        except TooMany as too_many:
            context = {"form": form, "refusal": too_many.text}
            page = render(request, "accounts/logins/forgotten.html", context, status=429)
            page["Retry-After"] = str(too_many.retry_after)
            return page
        return redirect("forgotten_sent")
    return render(request, "accounts/logins/forgotten.html", {"form": form})


def forgotten_sent(request: HttpRequest) -> HttpResponse:
    """Say what to do next, whether or not a link was sent."""
    if request.method != "GET":
        return wrong_method(request, ("GET",))
    return render(request, "accounts/logins/forgotten_sent.html")


@staff("GET")
def account(request: StaffRequest) -> HttpResponse:
    """Show the user's own account."""
    mine = Authenticator.objects.filter(user=request.user).order_by("created_at")
    codes = mine.filter(type=Authenticator.Type.RECOVERY_CODES).first()
    context = {
        "tab": "account",
        "factors": mine.filter(type__in=second_factors.REAL),
        "sessions": sessions.of(request.user, at=timezone.now()),
        "identities": request.user.identities.select_related("provider"),
        "linkable": IdentityProvider.objects.filter(is_enabled=True).exclude(
            identities__user=request.user
        ),
        "session_key": request.session.session_key,
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
    }
    return render(request, "accounts/logins/account.html", context)


@freshly_proven("GET", "POST")
def change_password(request: StaffRequest) -> HttpResponse:
    """Choose another password; all other sessions end."""
    form: SetPasswordForm[User] = SetPasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with acting(request.user):
            form.save()
            passwords.changed(request.user, request)
        before = request.session.session_key
        update_session_auth_hash(request, request.user)
        sessions.moved(before, request)
        messages.success(
            request, _("Your password has been changed. Your other sessions have ended.")
        )
        return redirect("account")
    context = {"form": form, "tab": "account"}
    return render(request, "accounts/logins/change_password.html", context)


@freshly_proven("GET", "POST")
def change_email(request: StaffRequest) -> HttpResponse:
    """Ask for another e-mail address, which holds once it is confirmed."""
    form = EmailForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        own_email.ask(request.user, form.cleaned_data["email"])
        sentence = _("Follow the link that we are sending to %(email)s to confirm the address.")
        messages.success(request, sentence % {"email": form.cleaned_data["email"]})
        return redirect("account")
    context = {"form": form, "tab": "account"}
    return render(request, "accounts/logins/change_email.html", context)


@freshly_proven("POST")
def end_session(request: StaffRequest, pk: int) -> HttpResponse:
    """End one of the user's sessions."""
    if sessions.end(request.user, pk):
        messages.success(request, _("The session has been ended."))
    return redirect("account")


@freshly_proven("POST")
def end_sessions(request: StaffRequest) -> HttpResponse:
    """End all of the user's sessions but this one."""
    sessions.end_others(request.user, but=request.session.session_key or "")
    messages.success(request, _("Your other sessions have been ended."))
    return redirect("account")


def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    """The target of the mailed link. Opening it changes nothing: mail filters open links, too."""
    if request.method not in {"GET", "POST"}:
        return wrong_method(request, ("GET", "POST"))
    claim = own_email.read(token)
    if request.method == "POST" and claim and own_email.confirm(token, request):
        messages.success(request, _("Your e-mail address has been changed."))
        return redirect("account")
    context = {"email": claim[1] if claim else "", "token": token}
    return render(request, "accounts/logins/confirm_email.html", context)


@staff("GET")
def proven(request: StaffRequest) -> HttpResponse:
    """Say what to do next after a proof in a tab of its own."""
    return render(request, "accounts/logins/proven.html", {"tab": "account"})


@staff("GET", "POST")
def prove_again(request: StaffRequest) -> HttpResponse:
    """Ask for the password before something important, then go there. Where there is a second
    factor, that is asked for instead."""
    onward = _own_path(request, request.GET.get("next", ""))
    if second_factors.has_one(request.user):
        return ask_again(request, onward) or redirect(onward)
    form = PasswordAgainForm(request.POST or None, user=request.user, request=request)
    if request.method == "POST" and form.is_valid():
        record_authentication(request, request.user, method="password", reauthenticated=True)
        return redirect(onward)
    context = {"form": form, "next": onward, "tab": "account"}
    page = render(request, "accounts/logins/prove_again.html", context)
    if form.retry_after is not None:
        page.status_code = 429
        page["Retry-After"] = str(form.retry_after)
    return page


def _own_path(request: HttpRequest, url: str) -> str:
    is_own = url_has_allowed_host_and_scheme(
        url, {request.get_host()}, require_https=request.is_secure()
    )
    return url if is_own else "/account/"
