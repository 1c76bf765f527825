"""Who may read what the installation says of itself."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.http import HttpRequest


def may_read(request: HttpRequest) -> bool:
    if not settings.METRICS_TOKEN:
        return bool(settings.DEBUG or settings.DEMO)
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
