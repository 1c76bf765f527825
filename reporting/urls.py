"""The addresses of the reporting."""

from __future__ import annotations

from django.urls import path

from reporting import views

urlpatterns = [
    path("reports/production/", views.production, name="production"),
]
