"""URLs of single sign-on."""

from __future__ import annotations

from django.urls import path

from accounts.single_sign_on import views

urlpatterns = [
    path("login/with/<slug:key>/", views.start, name="single_sign_on"),
    path("login/with/<slug:key>/return/", views.come_back, name="single_sign_on_return"),
    path("login/with/<slug:key>/logout/", views.provider_logout, name="single_sign_on_logout"),
    path("logout/elsewhere/", views.logout_elsewhere, name="logout_elsewhere"),
    path("account/prove/provider/", views.prove, name="single_sign_on_prove"),
    path("account/identities/<slug:key>/link/", views.link, name="link_identity"),
    path("account/identities/<int:pk>/unlink/", views.unlink, name="unlink_identity"),
]
