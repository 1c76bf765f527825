"""The Messenger's views, apart from the message path (``messenger.asgi.messages``)."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import condition, require_safe

from accounts.models import Channel, Website
from conversations import surveys
from conversations.messages.validators import check_attachment, check_body, check_client_id
from conversations.models import Address, Conversation
from conversations.visitors import blocks, persons
from core import web_addresses
from core.rejection import Rejected
from core.text.cleaning import is_identifier, words
from messenger import bundle as bundles
from messenger import consents, page, queries, tickets
from messenger.mail import addresses
from messenger.views.privacy import privacy_of
from messenger.views.visitor_request import json_of, visitor_endpoint
from messenger.visitors import reader_of, visitor_of
from messenger.website_texts import language_among
from routing import demand_counter, engagement
from routing.targeting import PageView

PAGE_URL_LIMIT = 2000
YEAR = 31_536_000


def etag(_request: HttpRequest, **_parts: str) -> str:
    return f'"{bundles.tag()}"'


@require_safe
@condition(etag_func=etag)
def embed(request: HttpRequest) -> HttpResponse:
    """Return the script that a brand's page loads; public, the same for everybody."""
    response = packed(request, bundles.embed(bundles.tag()), "javascript")
    response["Cache-Control"] = "public, max-age=300"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@require_safe
@condition(etag_func=etag)
def bundle(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the script or style of the page in the iframe; its URL carries their tag."""
    tag = bundles.tag()
    content = bundles.page_script(tag) if kind == "javascript" else bundles.page_style(tag)
    response = packed(request, content, kind)
    # An address with a former tag returns the present content, which must not be stored for a year.
    is_present = request.GET.get("v") == tag
    response["Cache-Control"] = f"public, max-age={YEAR if is_present else 0}"
    return response


def packed(request: HttpRequest, content: bundles.Sent, kind: str) -> HttpResponse:
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    body = content.zipped if takes_gzip else content.plain
    response = HttpResponse(body, content_type=f"text/{kind}; charset=utf-8")
    patch_vary_headers(response, ["Accept-Encoding"])
    if takes_gzip:
        response["Content-Encoding"] = "gzip"
    return response


@xframe_options_exempt
@visitor_endpoint("GET", "HEAD")
def frame(request: HttpRequest, website: Website) -> HttpResponse:
    """Return the Messenger's page, for an iframe on the website's domains (``frame-ancestors``)."""
    language = language_among(request.GET.get("lang", ""), website.language)
    return page.render_frame(request, website, language)


@visitor_endpoint("GET")
def state(request: HttpRequest, website: Website) -> HttpResponse:
    """Return everything the Messenger needs when it opens.

    The visitor, the present conversation, the other open ones (begun in another browser of the
    same person, C55), and the history.
    """
    visitor, only = reader_of(request, website)
    conversations = queries.conversations_of(visitor, only=only, at=timezone.now())
    present = [c for c in conversations if only is not None or c["status"] != "closed"]
    # The bearer of a link in an e-mail sees that conversation, but none of the visitor's settings.
    address = None if only else Address.objects.filter(visitor=visitor).first()
    return JsonResponse(
        {
            "visitor": {
                "id": str(visitor.public_id),
                "name": visitor.name,
                "language": visitor.language,
            },
            "guest": only is not None,
            "privacy": None if only else privacy_of(visitor, website),
            "email": addresses.shown(address),
            "conversation": present[0] if present else None,
            "others": present[1:],
            "history": [c for c in conversations if c not in present],
        }
    )


@visitor_endpoint("POST")
def email(request: HttpRequest, website: Website) -> HttpResponse:
    """Store, change or delete the address, switch notifications on or off (R6, R23-R25)."""
    visitor = visitor_of(request, website)
    sent = json_of(request)
    addresses.require(website, visitor, gives=bool(sent.get("address")))
    now = timezone.now()
    if isinstance(sent.get("on"), bool) and "address" not in sent:
        address = addresses.want_mail(visitor, wanted=sent["on"], at=now)
    elif "address" in sent and sent["address"] is None:
        addresses.forget(visitor, at=now)
        address = None
    else:
        given = addresses.check_email(sent.get("address"))
        address = addresses.give(visitor, given, at=now)
    return JsonResponse({"email": addresses.shown(address)})


@visitor_endpoint("POST", door="conversations")
def conversations(request: HttpRequest, website: Website) -> HttpResponse:
    """Start a conversation with its first message, if there is room now. Safe to repeat."""
    visitor = visitor_of(request, website)
    consents.require(visitor, website)
    blocks.remember_address(visitor, request.META.get("REMOTE_ADDR", ""))
    sent = json_of(request)
    url, at = page_url(sent.get("page_url")), timezone.now()
    view, engaged_by = sent.get("view"), sent.get("targeting")
    attachment = check_attachment(sent.get("attachment"))
    try:
        conversation, message = engagement.start(
            visitor,
            body=check_body(sent.get("body"), may_be_empty=attachment is not None),
            attachment=attachment,
            client_id=check_client_id(sent.get("client_id")),
            page_url=url,
            language=visitor.language,
            view=PageView.read(view) if isinstance(view, dict) else None,
            # Not ``isinstance``, for which true is a number.
            engaged_by=engaged_by if type(engaged_by) is int else None,
            address=request.META.get("REMOTE_ADDR", ""),
            channel=_channel_of(sent.get("channel")),
            at=at,
        )
    except engagement.NoRoom as refusal:
        if refusal.rule_id is not None:
            demand_counter.refuse_message(refusal.rule_id, visitor.pk, at=at)
        raise
    shown = queries.conversation_of(conversation, at=at)
    return JsonResponse({"conversation": shown, "message": message.frame}, status=201)


def _channel_of(value: object) -> Channel:
    """Return the channel that a first message asks for: chat, unless the visitor wants a call."""
    channels = {None: Channel.CHAT, "call": Channel.CALL, "video": Channel.VIDEO}
    if not (value is None or isinstance(value, str)) or value not in channels:
        raise Rejected("invalid", _("The request is not valid."), 400)
    return channels[value]


def page_url(value: object) -> str:
    """Return the page from which the visitor writes.

    Agents will click it and mails lead to it, so it must be http(s), and lead where it seems to.
    """
    url = value.strip() if isinstance(value, str) else ""
    address = web_addresses.parse(url) if is_identifier(url) else None
    return str(address) if address and len(str(address)) <= PAGE_URL_LIMIT else ""


@visitor_endpoint("POST")
def survey(request: HttpRequest, website: Website, conversation: uuid.UUID) -> HttpResponseBase:
    """Store the visitor's answer to the survey (R79, R80, R198)."""
    visitor, only = reader_of(request, website)
    sent = json_of(request)
    mine = Conversation.objects.filter(visitor__in=persons.browsers_of(visitor))
    row = mine.filter(public_id=conversation).first()
    if row is None or only not in {None, conversation}:
        raise Rejected("not_found", _("This conversation does not exist."), 404)
    comment = sent.get("comment", "")
    try:
        was_open = surveys.answer(
            row.pk,
            csat=_whole(sent.get("csat")),
            nps=_whole(sent.get("nps")),
            comment=words(comment) if isinstance(comment, str) else "",
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
    raise surveys.Invalid(_("A rating must be a whole number."))


@visitor_endpoint("POST", door="tickets")
def ticket(request: HttpRequest, website: Website) -> HttpResponse:
    """Issue a ticket for one socket: see ``messenger.tickets``."""
    visitor, only = reader_of(request, website)
    token_hash = visitor.token_hash if only is None else None
    return JsonResponse({"ticket": tickets.issue(visitor.pk, only, token_hash=token_hash)})
