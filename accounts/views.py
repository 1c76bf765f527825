"""Views of the login and the choice of language."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.contrib.auth.views import (
    INTERNAL_RESET_SESSION_TOKEN,
    LoginView,
    PasswordResetConfirmView,
    redirect_to_login,
)
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.i18n import set_language

from accounts.access import wrong_method
from accounts.audit import acting
from accounts.logins import first_administrator, passwords, sessions
from accounts.logins.entry import log_in
from accounts.logins.forms import FirstAdministratorForm, begin_attempt
from accounts.models import IdentityProvider, Role, User
from accounts.models import Login as LoginRecord
from core.rejection import TooMany

# The logins of the demo data (see the README), shown only with the demo.
DEMO_LOGINS = (
    ("alice", Role.AGENT),
    ("bruno", Role.AGENT),
    ("emma", Role.EXPERT),
    ("manager", Role.MANAGER),
    ("admin", Role.ADMIN),
)


WRONG_PASSWORD = LoginRecord.Outcome.WRONG_PASSWORD


class LoginForm(AuthenticationForm):
    """Django's form, which checks no password once there were too many wrong ones."""

    retry_after: int | None = None

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        try:
            attempt = begin_attempt(self.request, self.cleaned_data.get("username", ""))
        except TooMany as too_many:
            self.retry_after = too_many.retry_after
            raise ValidationError(too_many.text, code=too_many.code) from None
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            user = User.objects.filter(username=self.cleaned_data.get("username", "")).first()
            if user is not None:
                sessions.record_failure(self.request, user, WRONG_PASSWORD)
            raise
        attempt.succeed()
        return cleaned


class Login(LoginView):
    """Django's login view, which leaves what follows a right password to the library's stages."""

    form_class = LoginForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True
    http_method_names = ["get", "post"]
    extra_context = {"demo_logins": DEMO_LOGINS if settings.DEMO else ()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            is_new=first_administrator.is_missing(),
            providers=IdentityProvider.objects.filter(is_enabled=True),
            **kwargs,
        )

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        return log_in(
            self.request,
            form.get_user(),
            method="password",
            redirect_url=self.get_success_url(),
        )

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if isinstance(form, LoginForm) and form.retry_after is not None:
            response.status_code = 429
            response["Retry-After"] = str(form.retry_after)
        return response

    def http_method_not_allowed(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponse:
        return wrong_method(request, ("GET", "POST"))


class ChoosePassword(PasswordResetConfirmView):
    """The target of an invitation's link: choose a password and log in."""

    template_name = "accounts/choose_password.html"

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        with acting(form.user):
            form.save()
            passwords.changed(form.user, self.request)
        # The base class would do this, and log the user in past a second factor.
        del self.request.session[INTERNAL_RESET_SESSION_TOKEN]
        return log_in(self.request, form.user, method="password_reset")


def create_first_administrator(request: HttpRequest, token: str) -> HttpResponse:
    """The target of the link that a new installation prints."""
    if request.method not in {"GET", "POST"}:
        return wrong_method(request, ("GET", "POST"))
    template = "accounts/logins/first_administrator.html"
    if not first_administrator.opens(token):
        return render(request, template, {"is_over": True}, status=410)
    form = FirstAdministratorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        if not first_administrator.create(user):
            return render(request, template, {"is_over": True}, status=410)
        return log_in(request, user, method="password", redirect_url=reverse("admin:index"))
    return render(request, template, {"form": form})


def admin_login(request: HttpRequest) -> HttpResponse:
    """Redirect to the product's login; for accounts without access the administration is a 404."""
    if request.user.is_authenticated:
        raise Http404
    return redirect_to_login(request.GET.get("next", reverse("admin:index")), reverse("login"))


def language(request: HttpRequest) -> HttpResponse:
    """Set the language of this browser, and of the user for other browsers."""
    if request.method != "POST":
        return wrong_method(request, ("POST",))
    chosen = request.POST.get("language", "")
    if request.user.is_authenticated and chosen in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=chosen)
    return set_language(request)
