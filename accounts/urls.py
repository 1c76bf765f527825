"""URLs of login and language."""

from __future__ import annotations

from django.urls import include, path

from accounts import views

urlpatterns = [
    path("login/", views.Login.as_view(), name="login"),
    path("login/", views.Login.as_view(), name="account_login"),  # the library's name for it
    path("", include("accounts.logins.urls")),
    path("", include("accounts.single_sign_on.urls")),
    path("welcome/<uidb64>/<token>/", views.ChoosePassword.as_view(), name="choose_password"),
    path(
        "first-administrator/<str:token>/",
        views.create_first_administrator,
        name="first_administrator",
    ),
    path("language/", views.language, name="set_language"),
]
