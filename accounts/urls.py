"""URLs of login and language."""

from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("login/", views.Login.as_view(), name="login"),
    path("welcome/<uidb64>/<token>/", views.ChoosePassword.as_view(), name="choose_password"),
    path("language/", views.language, name="set_language"),
]
