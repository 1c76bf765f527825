"""The Messenger's page: its configuration, and its content security policy."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils import translation

from accounts.models import Website
from conversations.calls.texts import panel_texts
from conversations.messages.attachments import upload_strings
from core import browser_features, web_addresses
from core.asgi.files import UPLOAD_BYTES
from core.text.emoji import emoji_strings
from messenger import bundle
from messenger.client_messages import frame_strings, mirror_labels
from messenger.colours import text_on
from messenger.knowledge import offers
from messenger.mail import addresses
from messenger.website_texts import consent_of, sha256_of, texts_of


def render_frame(
    request: HttpRequest,
    website: Website,
    language: str,
    *,
    rehearsal: dict[str, Any] | None = None,
) -> HttpResponse:
    """Render the page in ``language``.

    With a ``rehearsal`` (the builder's preview) it plays that state with the ``website`` as given,
    saved or not, and makes no requests to the server.
    """
    with translation.override(language):
        texts = texts_of(website, language)
        config = {
            "base": f"/messenger/{website.key}/",
            "website": website.key,
            "brand": website.name,
            "language": language,
            "accent": website.accent,
            "on_accent": text_on(website.accent),
            "texts": texts,
            "consent": sha256_of(consent_of(website, language)),
            "email": addresses.is_on(website),
            "files": website.takes_files,
            "survey": website.questions,
            "strings": frame_strings() | upload_strings() | emoji_strings(),
            "upload_limit": UPLOAD_BYTES,
            "mirror": _mirror_of(website, language),
            "calls": _calls_of(website),
            "articles": None if rehearsal else offers.settings_of(website, language),
        }
        if rehearsal is not None:
            config["rehearsal"] = {"script": static("messenger/rehearsal.js")} | rehearsal
        context = {"website": website, "texts": texts, "language": language, "config": config}
        context["tag"] = bundle.tag()
        response = render(request, "messenger/frame.html", context)
    response["Content-Security-Policy"] = _policy(
        # The preview is for the administration only, which is on this host.
        request,
        website,
        [] if rehearsal else website.frame_ancestors,
    )
    response["Referrer-Policy"] = "same-origin"
    if website.has_calls:
        response["Permissions-Policy"] = browser_features.FOR_CALLS
    response["Content-Language"] = language
    return response


def _mirror_of(website: Website, language: str) -> dict[str, Any] | None:
    """Return what the recorder of a page hides, and its labels; ``None`` if agents see no pages."""
    if not website.mirrors_screen:
        return None
    return {
        "hides": website.hidden_selectors,
        "showsInputs": website.mirror_shows_inputs,
        "domains": website.domains,
        "labels": mirror_labels(are_stored=website.stores_looks) | {"language": language},
    }


def _calls_of(website: Website) -> dict[str, Any] | None:
    """Return what the calls' script needs; ``None`` if the website has no calls."""
    if not website.has_calls:
        return None
    return {
        "script": static("calls/calls.js"),
        "style": static("calls/calls.css"),
        "sprite": static("vendor/lucide/sprite.svg"),
        "texts": panel_texts(),
        "video": website.has_video_calls,
        "is_elsewhere": bool(website.jitsi_url),
    }


def _policy(request: HttpRequest, website: Website, ancestors: list[str]) -> str:
    host = request.get_host()
    # The policy's grammar has no IPv6 addresses; browsers warn about them.
    named = [source for source in ancestors if "[" not in source]
    logo = web_addresses.parse(website.logo_url)
    has_logo = logo is not None and re.fullmatch(r"[\w.:-]+", logo.host)
    logo_origin = f" {logo.scheme}://{logo.host}" if logo and has_logo else ""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            # Pictures of cards come from the website's own domains (rich_content).
            " ".join([f"img-src 'self' data: blob:{logo_origin}", *named]),
            # Some browsers do not count sockets as 'self'.
            f"connect-src 'self' wss://{host}" + ("" if settings.HTTPS else f" ws://{host}"),
            "base-uri 'none'",
            "form-action 'none'",
            " ".join(["frame-ancestors 'self'", *named]),
        ]
    )
