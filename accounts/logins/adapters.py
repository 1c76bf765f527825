"""What the login library asks of a project: where to go, whom to tell, what to ask again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.utils.translation import gettext as _

from accounts import failed_logins
from accounts.logins import devices, factor_secrets, notices, sessions
from accounts.logins.notices import Event
from accounts.models import LoginRule, User

EVENTS = {
    "mfa/email/totp_activated": Event.APP_ADDED,
    "mfa/email/totp_deactivated": Event.APP_REMOVED,
    "mfa/email/webauthn_added": Event.PASSKEY_ADDED,
    "mfa/email/webauthn_removed": Event.PASSKEY_REMOVED,
    "mfa/email/recovery_codes_generated": Event.CODES_RENEWED,
}


class AccountAdapter(DefaultAccountAdapter):
    """The library's adapter for accounts that administrators create."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """Allow only addresses of this very host: the library's rule admits every allowed host."""
        return url_has_allowed_host_and_scheme(
            url, {self.request.get_host()}, require_https=self.request.is_secure()
        )

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return settings.LOGIN_REDIRECT_URL

    def get_client_ip(self, request: HttpRequest) -> str:
        return str(request.META.get("REMOTE_ADDR", ""))

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        messages.error(request, _("This account is not active. Ask an administrator."))
        return redirect("login")

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: the pages say what happened in their own words."""

    def send_notification_mail(
        self, template_prefix: str, user: User, *args: Any, **kwargs: Any
    ) -> None:
        """Owe our own mail for the library's one, which it names by its template."""
        event = EVENTS.get(template_prefix)
        if event is not None:
            notices.publish(user, event, self.request)

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Return the ways to prove again who one is; the first is offered first.

        Where there is a second factor, only that counts: a password alone must not remove it.
        """
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        factors = [way for way in methods if way["id"] != "reauthenticate"]
        if not methods and has_provider(user):
            return [{"id": "single_sign_on", "url": reverse("single_sign_on_prove")}]
        # The ids are "mfa_reauthenticate" and "mfa_reauthenticate:webauthn".
        passkeys_first = sorted(factors, key=lambda way: ":" not in way["id"])
        return passkeys_first or methods

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Refuse a login without the provider that the user's role needs."""
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if response is not None or not needs_provider(user):
            return response
        records = get_authentication_records(request, user)
        if any(one["method"] == "single_sign_on" for one in records):
            return None
        messages.error(request, _("Your role can log in only through single sign-on."))
        return redirect("login")

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        request.session.set_expiry(None)  # the minutes that an unfinished login had

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Answer a login that is complete: this browser is known from now on."""
        records = get_authentication_records(request, user)
        cookie = request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")
        sessions.begin(
            request,
            user,
            method=", ".join(str(one.get("type") or one["method"]) for one in records),
            is_known_browser=failed_logins.knows(user, cookie),
        )
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if user.language:
            _remember(response, user.language)
        response.set_cookie(
            settings.BROWSER_COOKIE_NAME,
            failed_logins.known_browser(user),
            max_age=timedelta(days=failed_logins.BROWSER_DAYS),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response


class FactorAdapter(DefaultMFAAdapter):
    """The library's adapter for second factors."""

    def encrypt(self, text: str) -> str:
        return factor_secrets.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return factor_secrets.decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return "Causerie"

    def get_totp_label(self, user: User) -> str:
        return f"{user.username}@{context.request.get_host()}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the site that a passkey belongs to: this very host."""
        return {"id": context.request.get_host().partition(":")[0], "name": "Causerie"}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        name = user.get_full_name() or user.username
        return entity | {"name": user.username, "display_name": name}

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """Name a new passkey after the device on which it is made."""
        agent = context.request.headers.get("User-Agent", "")
        return devices.name_of(agent) or _("Passkey")


def has_provider(user: User | AnonymousUser) -> bool:
    """Return whether the user can prove at a provider who they are."""
    if not isinstance(user, User):
        return False
    return bool(user.identities.filter(provider__is_enabled=True).exists())


def needs_provider(user: User) -> bool:
    """Return whether the user's role logs in by single sign-on only."""
    rule = LoginRule.objects.filter(role=user.ruling_role, needs_single_sign_on=True)
    return rule.exists()


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
