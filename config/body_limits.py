"""How large the body of a request may be at each entry point, and the answers to larger ones and to
those that take too long to arrive."""

from __future__ import annotations

import json
import re
from http import HTTPStatus

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header

from config.api import shape
from config.incoming import PROGRAMS
from core.asgi.files import UPLOAD_BYTES, too_large
from core.asgi.json_body import BODY_BYTES
from core.rejection import error, no_space

FORM_BYTES = 1024 * 1024 + BODY_BYTES  # a form of the administration, or a file of purchases
MAIL_BYTES = 30 * 1024 * 1024  # with its attachments, as providers pass it on

UPLOAD = re.compile(
    r"^/(?:(?:messenger|desk)/.+/attachments|api/v1/conversations/\d+/files)/[^/]+/$"
)
SCRIPTS = re.compile(r"^/desk/c/\d+/(?:messages|read|attachments)/")  # the desk's own JSON
LIMITS = (
    ("POST", re.compile(r"^/desk/replies/"), UPLOAD_BYTES + BODY_BYTES),
    ("POST", re.compile(r"^/admin/"), FORM_BYTES),
    ("POST", re.compile(r"^/channels/"), 1024 * 1024),  # messenger.channels.views
    ("POST", re.compile(r"^/mail/in/"), MAIL_BYTES if settings.ANYMAIL else BODY_BYTES),
    *((method, re.compile(r"^/api/"), shape.BODY_BYTES) for method in ("POST", "PUT", "PATCH")),
)


def limit_of(method: str, path: str) -> int:
    """Return how many bytes a request to ``path`` may have: 64 KiB, unless it says otherwise."""
    if method == "PUT" and UPLOAD.match(path):
        return UPLOAD_BYTES
    return next(
        (limit for one, pattern, limit in LIMITS if one == method and pattern.match(path)),
        BODY_BYTES,
    )


def refusal(status: HTTPStatus, path: str, accepted_languages: str) -> tuple[str, bytes]:
    """Return the content type and the body of an answer, for a person or a program."""
    with translation.override(language_of(accepted_languages)):
        if not is_script(path):
            if status == HTTPStatus.INSUFFICIENT_STORAGE:
                page = render_to_string("outage.html", {"is_full": True, "typed": []})
            else:
                is_large = status != HTTPStatus.REQUEST_TIMEOUT
                page = render_to_string("400.html", {"is_large": is_large})
            return "text/html; charset=utf-8", page.encode()
        if status == HTTPStatus.REQUEST_TIMEOUT:
            body = error("slow", _("The request took too long to arrive. Please try again."))
        elif status == HTTPStatus.INSUFFICIENT_STORAGE:
            refused = no_space()
            body = error(refused.code, refused.text)
        elif UPLOAD.match(path):
            body = error("too_large", too_large().text)
        else:
            body = error("too_long", _("This request is too large."))
    return "application/json; charset=utf-8", json.dumps(body, ensure_ascii=False).encode()


def is_script(path: str) -> bool:
    """Return whether a script or a program calls this address, and reads its errors as JSON."""
    return path.startswith(PROGRAMS) or bool(SCRIPTS.match(path))


def language_of(accepted_languages: str) -> str:
    """Return the first supported language of an Accept-Language header, else the default."""
    for code, _weight in parse_accept_lang_header(accepted_languages.lower()[:200]):
        if code[:2] in dict(settings.LANGUAGES):
            return code[:2]
    return settings.LANGUAGE_CODE
