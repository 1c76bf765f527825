"""Views of the login and the choice of language."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.contrib.auth.views import LoginView, PasswordResetConfirmView, redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.translation import check_for_language
from django.views.i18n import set_language

from accounts.access import wrong_method
from accounts.audit import acting
from accounts.models import Role, User

# The logins of the demo data (see the README), shown only with the demo.
DEMO_LOGINS = (
    ("alice", Role.AGENT),
    ("bruno", Role.AGENT),
    ("emma", Role.EXPERT),
    ("manager", Role.MANAGER),
    ("admin", Role.ADMIN),
)


class Login(LoginView):
    """Django's login view, which also applies the language that the user chose elsewhere."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True
    http_method_names = ["get", "post"]
    extra_context = {"demo_logins": DEMO_LOGINS if settings.DEMO else ()}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        language = form.get_user().language
        if language:
            _remember(response, language)
        return response

    def http_method_not_allowed(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponse:
        return wrong_method(request, ("GET", "POST"))


class ChoosePassword(PasswordResetConfirmView):
    """The target of an invitation's link: choose a password and log in."""

    template_name = "accounts/choose_password.html"
    post_reset_login = True

    def get_success_url(self) -> str:
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        with acting(form.user):
            return super().form_valid(form)


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


def _remember(response: HttpResponse, chosen: str) -> None:
    if not check_for_language(chosen):
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )
