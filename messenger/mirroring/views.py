"""The recorder's script, and the visitor's stop."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import condition, require_safe

from accounts.models import Website
from conversations.mirroring import cobrowsing, looks
from conversations.models import Visitor
from conversations.visitors import persons
from core.rejection import Rejected
from messenger import bundle
from messenger.views.conversations import etag, packed
from messenger.views.visitor_request import json_of, visitor_endpoint
from messenger.visitors import reader_of


@require_safe
@condition(etag_func=etag)
def recorder(request: HttpRequest) -> HttpResponse:
    """Return the script that a brand's page loads while an agent looks at it."""
    response = packed(request, bundle.recorder(bundle.tag()), "javascript")
    response["Cache-Control"] = "public, max-age=300"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@visitor_endpoint("POST")
def stop(request: HttpRequest, website: Website, conversation: uuid.UUID) -> HttpResponse:
    """The visitor stops mirroring: from now on nobody can look in this conversation."""
    _visitor, number = _own_conversation(request, website, conversation)
    looks.stop(number, at=timezone.now())
    return HttpResponse(status=204)


@visitor_endpoint("POST")
def answer(request: HttpRequest, website: Website, conversation: uuid.UUID) -> HttpResponse:
    """The visitor lets the agent act on their page, or declines (R191). Without consent they can
    only decline."""
    visitor, number = _own_conversation(request, website, conversation)
    body = json_of(request)
    session_id, accepts = body.get("session"), body.get("accepts")
    if type(session_id) is not int or type(accepts) is not bool:
        raise Rejected("malformed", _("The answer is incomplete."), 400)
    if accepts:
        persons.check_willing(visitor)
    if not cobrowsing.answer(number, session_id, accepts=accepts, at=timezone.now()):
        raise Rejected("over", _("There is nothing left to answer."), 409)
    return HttpResponse(status=204)


@visitor_endpoint("POST")
def stop_cobrowsing(
    request: HttpRequest, website: Website, conversation: uuid.UUID
) -> HttpResponse:
    """The visitor takes the page back. The agent still sees it."""
    _visitor, number = _own_conversation(request, website, conversation)
    cobrowsing.stop(number, at=timezone.now())
    return HttpResponse(status=204)


def _own_conversation(
    request: HttpRequest, website: Website, conversation: uuid.UUID
) -> tuple[Visitor, int]:
    visitor, only = reader_of(request, website)
    is_theirs = only in {None, conversation}
    number = looks.of_visitor(visitor.pk, conversation) if is_theirs else None
    if number is None:
        raise Rejected("not_found", _("This conversation does not exist."), 404)
    return visitor, number
