"""URLs of the user's own account and of a forgotten password.

Of the library, nothing is mounted as a whole: only what is listed here exists, and nobody can sign
up. It looks for some addresses by its own names.
"""

from __future__ import annotations

from django.urls import path

from accounts.logins import factor_views, views
from accounts.logins.factor_views import signed

urlpatterns = [
    path("login/forgotten/", views.forgotten, name="forgotten"),
    path("login/forgotten/sent/", views.forgotten_sent, name="forgotten_sent"),
    path("account/", views.account, name="account"),
    path("account/password/", views.change_password, name="change_password"),
    path("account/email/", views.change_email, name="change_email"),
    path("account/email/<str:token>/", views.confirm_email, name="confirm_email"),
    path("account/sessions/end/", views.end_sessions, name="end_sessions"),
    path("account/sessions/<int:pk>/end/", views.end_session, name="end_session"),
    path("account/prove/done/", views.proven, name="proven"),
    path("account/prove/", views.prove_again, name="account_reauthenticate"),
    path(
        "account/prove/code/",
        signed(factor_views.ProveByCode.as_view()),
        name="mfa_reauthenticate",
    ),
    path(
        "account/prove/passkey/",
        signed(factor_views.ProveByPasskey.as_view()),
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/second-factor/", factor_views.second_factor, name="second_factor"),
    path("account/app/", signed(factor_views.AddApp.as_view()), name="mfa_activate_totp"),
    path("account/passkey/", signed(factor_views.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path("account/factors/<int:pk>/remove/", factor_views.remove_factor, name="remove_factor"),
    path("account/codes/", signed(factor_views.Codes.as_view()), name="mfa_view_recovery_codes"),
    path(
        "account/codes/new/",
        signed(factor_views.NewCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
    path("account/", views.account, name="mfa_index"),  # where the library returns to
    path("login/step/", factor_views.second_step, name="mfa_authenticate"),
    path("login/passkey/", factor_views.passkey_login, name="mfa_login_webauthn"),
]
