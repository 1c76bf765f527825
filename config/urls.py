"""All URLs, by app; ``/healthz`` and ``/readyz`` are answered by ``config.health``."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from accounts.views import admin_login
from config.metrics import metrics
from desk.views.session import logout

# Mail providers call these addresses with the secret; without a secret there are none.
providers = [path("mail/in/", include("anymail.urls"))] if settings.ANYMAIL else []

handler500 = "config.outages.server_error"

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("desk.urls")),
    path("", include("reporting.urls")),
    path("", include("messenger.urls")),
    path("metrics", metrics),
    *providers,
    path("scim/v2/", include("routing.scim.urls")),
    path("api/", include("config.api.urls")),
    # One login and one logout for everything: logging out of the admin logs out of the desk as
    # well.
    path("admin/login/", admin_login),
    path("admin/logout/", logout),
    path("admin/", admin.site.urls),
]
