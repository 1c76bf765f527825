"""Every address, by app; ``/healthz`` and ``/readyz`` are answered by ``config.health``."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("desk.urls")),
    path("", include("reporting.urls")),
    path("", include("messenger.urls")),
    path("admin/", admin.site.urls),
]
