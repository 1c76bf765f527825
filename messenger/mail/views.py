"""The unsubscribe page of an e-mail."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.models import Website
from messenger.mail import addresses
from messenger.mail.unsubscribing import address_of, mail_of
from messenger.website_texts import language_among


@csrf_exempt  # The signed word is the permission; mail programs post without a page (RFC 8058).
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, key: str, word: str) -> HttpResponse:
    """Ask on GET, since scanners follow links; on POST switch off, or on again (``on``)."""
    mail = mail_of(word)
    website = mail.conversation.website if mail else Website.objects.filter(key=key).first()
    address = address_of(mail) if mail else None
    asked = mail.conversation.language if mail else request.headers.get("Accept-Language", "")
    if request.method == "POST" and address is not None:
        wanted = request.POST.get("on") == "1"
        addresses.want_mail(address.visitor, wanted=wanted, at=timezone.now())
        address.wants_mail = wanted
    language = language_among(asked, website.language if website else "")
    with translation.override(language):
        response = render(
            request,
            "mail/unsubscribe.html",
            {
                "website": website,
                "email": address.email if address else "",
                "is_on": bool(address and address.wants_mail),
                "is_known": mail is not None,
                "was_posted": request.method == "POST",
            },
            status=200 if mail is not None else 404,
        )
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    response["Content-Language"] = language
    return response
