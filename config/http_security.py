"""The settings of what browsers are told and trusted with: content policy, cookies, HTTPS."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF

from config.environment import number

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        # The Messenger's page lists which brands' sites may frame it.
        "frame-ancestors": [SELF],
    }
}


def policy_text() -> str:
    """Return the product's policy as the value of a header, for pages that no middleware sees."""
    directives = CONTENT_SECURITY_POLICY["DIRECTIVES"].items()
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives)


def settings(*, https: bool) -> dict[str, Any]:
    """Return the settings by name. ``https`` says whether people reach us by HTTPS only."""
    # Browsers accept a cookie of this name only over HTTPS, from this very host, for all of its
    # paths: no neighbour on a shared domain can set it.
    prefix = "__Host-" if https else ""
    return {
        "CONTENT_SECURITY_POLICY": CONTENT_SECURITY_POLICY,
        "SESSION_COOKIE_NAME": f"{prefix}sessionid",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": https,
        "CSRF_COOKIE_NAME": f"{prefix}csrftoken",
        "CSRF_COOKIE_SECURE": https,
        "CSRF_COOKIE_HTTPONLY": True,  # pages carry the token for their scripts
        "LANGUAGE_COOKIE_NAME": f"{prefix}django_language",
        "LANGUAGE_COOKIE_SECURE": https,
        "LANGUAGE_COOKIE_HTTPONLY": True,
        "LANGUAGE_COOKIE_SAMESITE": "Lax",
        # Staff's: its wrong passwords are counted apart.
        "BROWSER_COOKIE_NAME": f"{prefix}browser",
        # Not in a cookie: Django deletes that one without the attributes with which it set it.
        "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
        "SECURE_SSL_REDIRECT": https,
        "SECURE_HSTS_SECONDS": number("HSTS_SECONDS", 31536000, 0, 63072000) if https else 0,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": https,
        "SECURE_HSTS_PRELOAD": https,
    }
