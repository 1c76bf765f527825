"""The Messenger's doors, apart from the message path (``messenger.doors``)."""

from __future__ import annotations

import re
import uuid
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_safe
from rjsmin import jsmin

from accounts.models import Website
from conversations import blocks, surveys
from conversations.messages import Rejected, check_body, check_client_id
from conversations.models import Conversation
from messenger import queries, tickets
from messenger.colours import text_on
from messenger.gate import door, json_of
from messenger.strings import frame_strings
from messenger.texts import language_among, sha256_of, texts_of
from messenger.visitors import visitor_of, welcome
from routing import demand, engagement
from routing.targeting import PageView

EMBED = Path(__file__).resolve().parent.parent / "static" / "messenger" / "embed.js"
PAGE_URL_LIMIT = 2000


def _embed_tag(_request: HttpRequest) -> str:
    stat = EMBED.stat()
    return f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'


@lru_cache(maxsize=1)
def _embed_script(_tag: str) -> bytes:
    """Without its comments: each page of a brand pays for it (B14)."""
    script: bytes = jsmin(EMBED.read_bytes())
    return script


@require_safe
@gzip_page
@condition(etag_func=_embed_tag)
def embed(request: HttpRequest) -> HttpResponse:
    """The script that a brand's page loads; public, the same for everybody."""
    script = _embed_script(_embed_tag(request))
    response = HttpResponse(script, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@xframe_options_exempt
@door("GET", "HEAD")
def frame(request: HttpRequest, website: Website) -> HttpResponse:
    """The Messenger's page, for an iframe on the website's domains (``frame-ancestors``)."""
    language = language_among(request.GET.get("lang", ""), website.language)
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
            "consent": sha256_of(texts["consent"]),
            "strings": frame_strings(),
        }
        context = {"website": website, "texts": texts, "language": language, "config": config}
        response = render(request, "messenger/frame.html", context)
    response["Content-Security-Policy"] = _frame_policy(request, website)
    response["Referrer-Policy"] = "same-origin"
    response["Content-Language"] = language
    return response


def _frame_policy(request: HttpRequest, website: Website) -> str:
    host = request.get_host()
    # A policy knows no IPv6 addresses; browsers complain of them.
    ancestors = [source for source in website.frame_ancestors if "[" not in source]
    logo = urlsplit(website.logo_url)
    has_logo = re.fullmatch(r"[\w.:-]+", logo.netloc)
    logo_origin = f" {logo.scheme}://{logo.netloc}" if has_logo else ""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data:{logo_origin}",
            # Some browsers do not count sockets as 'self'.
            f"connect-src 'self' ws://{host} wss://{host}",
            "base-uri 'none'",
            "form-action 'none'",
            " ".join(["frame-ancestors 'self'", *ancestors]),
        ]
    )


@door("POST")
def visitors(request: HttpRequest, website: Website) -> HttpResponse:
    """Consent was given: from now on this browser is a visitor (R27)."""
    sent = json_of(request)
    language = language_among(str(sent.get("language", "")), website.language)
    consent_text = texts_of(website, language)["consent"]
    if sent.get("consent") != sha256_of(consent_text):
        raise Rejected(
            "consent", _("This text has changed meanwhile: please read it once more."), 403
        )
    visitor, token = welcome(
        website, language=language, consent_text=consent_text, at=timezone.now()
    )
    return JsonResponse({"token": token, "visitor": str(visitor.public_id)}, status=201)


@door("GET")
def state(request: HttpRequest, website: Website) -> HttpResponse:
    """Everything the Messenger needs when it opens: who, which conversation, what came before."""
    visitor = visitor_of(request, website)
    conversations = queries.conversations_of(visitor)
    return JsonResponse(
        {
            "visitor": {
                "id": str(visitor.public_id),
                "name": visitor.name,
                "language": visitor.language,
            },
            "conversation": next((c for c in conversations if c["status"] != "closed"), None),
            "history": [c for c in conversations if c["status"] == "closed"],
        }
    )


@door("POST")
def conversations(request: HttpRequest, website: Website) -> HttpResponse:
    """The first message begins a conversation, if there is room now. Repeating it is safe."""
    visitor = visitor_of(request, website)
    blocks.remember_address(visitor, request.META.get("REMOTE_ADDR", ""))
    sent = json_of(request)
    page_url, at = _page_url(sent.get("page_url")), timezone.now()
    view, engaged_by = sent.get("view"), sent.get("targeting")
    try:
        conversation, message = engagement.start(
            visitor,
            body=check_body(sent.get("body")),
            client_id=check_client_id(sent.get("client_id")),
            page_url=page_url,
            language=visitor.language,
            view=PageView.read(view) if isinstance(view, dict) else None,
            engaged_by=engaged_by if isinstance(engaged_by, int) else None,
            at=at,
        )
    except engagement.NoRoom as refusal:
        if refusal.rule_id is not None:
            demand.refuse_message(refusal.rule_id, visitor.pk, at=at)
        raise
    shown = queries.conversation_of(conversation)
    return JsonResponse({"conversation": shown, "message": message.frame}, status=201)


def _page_url(value: object) -> str:
    """The page the visitor writes from. Agents will click it, so only http(s) is kept."""
    url = value.strip() if isinstance(value, str) else ""
    is_usable = len(url) <= PAGE_URL_LIMIT and re.match(r"https?://[^\s\x00]+$", url)
    return url if is_usable else ""


@door("POST")
def survey(request: HttpRequest, website: Website, conversation: uuid.UUID) -> HttpResponseBase:
    """The visitor's answer to the survey (R79, R80, R198)."""
    visitor = visitor_of(request, website)
    sent = json_of(request)
    found = Conversation.objects.filter(public_id=conversation, visitor=visitor).first()
    if found is None:
        raise Rejected("not_found", _("This conversation does not exist."), 404)
    comment = sent.get("comment", "")
    try:
        was_open = surveys.answer(
            found.pk,
            csat=_whole(sent.get("csat")),
            nps=_whole(sent.get("nps")),
            comment=comment.replace("\x00", "") if isinstance(comment, str) else "",
            at=timezone.now(),
        )
    except surveys.Invalid as invalid:
        raise Rejected("invalid", str(invalid), 400) from None
    if not was_open:
        raise Rejected("refused", _("There is no survey left to answer."), 409)
    return HttpResponse(status=204)


def _whole(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise surveys.Invalid(_("A rating is a whole number."))


@door("POST")
def ticket(request: HttpRequest, website: Website) -> HttpResponse:
    """A ticket for one socket: see ``messenger.tickets``."""
    return JsonResponse({"ticket": tickets.issue(visitor_of(request, website).pk)})
