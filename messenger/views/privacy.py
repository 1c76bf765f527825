"""The visitor's own things: their identity, consent and history."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import identities
from accounts.models import Website
from conversations.models import Visitor
from conversations.privacy import visitor_copy
from conversations.visitors import persons
from core.rejection import Rejected
from messenger import consents, history_hiding, identity, tickets
from messenger.identity import Claims
from messenger.views.visitor_request import json_of, visitor_endpoint
from messenger.visitors import bearer_of, create, identify, leave, visitor_of
from messenger.website_texts import language_among

logger = logging.getLogger(__name__)


def privacy_of(visitor: Visitor, website: Website) -> dict[str, object]:
    """Return what the Messenger's settings show about privacy."""
    return {
        "consent": consents.standing(visitor, website),
        "hidden": visitor.hidden_at is not None,
        "hidden_at": persons.hidden_since(visitor),
        "identified": visitor.person_id is not None,
    }


@visitor_endpoint("POST", door="visitors")
def visitors(request: HttpRequest, website: Website) -> HttpResponse:
    """Consent was given: from now on this browser is a visitor (R27)."""
    sent, at = json_of(request), timezone.now()
    language = language_among(str(sent.get("language", "")), website.language)
    consent = consents.agreed(website, language=language, sha256=sent.get("consent"), at=at)
    claims = _claims(website, sent["identity"]) if sent.get("identity") else None
    visitor, token = create(website, consent, at=at, claims=claims)
    # Their first socket needs no request of its own.
    ticket = tickets.issue(visitor.pk, token_hash=visitor.token_hash)
    answer = {"token": token, "visitor": str(visitor.public_id), "ticket": ticket}
    return JsonResponse(answer, status=201)


@visitor_endpoint("POST", door="identity")
def identification(request: HttpRequest, website: Website) -> HttpResponse:
    """Link the browser to a customer of the brand, by a signed token (C14)."""
    sent = json_of(request)
    claims = _claims(website, sent.get("identity"))
    known = identify(
        website,
        claims,
        visitor=bearer_of(request, website),
        language=language_among(str(sent.get("language", "")), website.language),
        at=timezone.now(),
    )
    if known is None:
        return JsonResponse({"known": False, "token": None, "visitor": None})
    payload = {"known": True, "token": known.token, "visitor": str(known.visitor.public_id)}
    return JsonResponse(payload)


def _claims(website: Website, token: object) -> Claims:
    """Read an identity token; an invalid one is refused, and the log says why (C14)."""
    at = timezone.now()
    secrets = identities.accepted(website, at=at)
    try:
        return identity.read(token, secrets=secrets, audience=website.key, at=at)
    except Rejected as rejected:
        logger.warning("website %s: an identity was ignored: %s", website.key, rejected.text)
        raise


@visitor_endpoint("POST")
def logout(request: HttpRequest, website: Website) -> HttpResponse:
    """The customer has logged out of the brand's site: make this browser forget them."""
    return JsonResponse({"forgotten": leave(visitor_of(request, website))})


@visitor_endpoint("POST")
def consent(request: HttpRequest, website: Website) -> HttpResponse:
    """Give consent once more (to another text, or again), or withdraw it (R27)."""
    visitor, sent, at = visitor_of(request, website), json_of(request), timezone.now()
    if sent.get("given") is False:
        consents.withdraw(visitor, website, at=at)
    else:
        language = language_among(str(sent.get("language", "")), website.language)
        given = consents.agreed(website, language=language, sha256=sent.get("consent"), at=at)
        consents.give(visitor, given)
    visitor.refresh_from_db()
    return JsonResponse({"privacy": privacy_of(visitor, website)})


@visitor_endpoint("POST")
def history(request: HttpRequest, website: Website) -> HttpResponse:
    """Hide the history until now in this Messenger, or show it again (R28, C13)."""
    visitor, hidden = visitor_of(request, website), json_of(request).get("hidden")
    if not isinstance(hidden, bool):
        raise Rejected("invalid", _("Please specify whether to hide the history."), 400)
    history_hiding.hide(visitor, hidden=hidden, at=timezone.now())
    return JsonResponse({"privacy": privacy_of(visitor, website)})


@visitor_endpoint("POST")
def copy(request: HttpRequest, website: Website) -> HttpResponse:
    """Export all that the visitor wrote and gave here, to download (GDPR 15)."""
    data = visitor_copy.copy_for(visitor_of(request, website))
    return JsonResponse(data, json_dumps_params={"ensure_ascii": False})
