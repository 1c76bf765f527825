"""Errors as problem details (RFC 9457), with the code and the sentence of all other entry points.

``error`` repeats them in the shape of docs/protocol.md, which earlier clients read.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse

from core import request_ids
from core.rejection import error

MEDIA_TYPE = "application/problem+json"


def body_of(status: int, code: str, sentence: str, **more: Any) -> dict[str, Any]:
    """Return the body of an error; ``more`` are members of this kind of error, such as
    ``fields``."""
    shape = error(code, sentence)
    shape["error"] |= more
    return {
        "type": f"/api/docs/#error-{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "code": code,
        "request_id": request_ids.current(),
        **more,
        **shape,
    }


def problem(status: int, code: str, sentence: str) -> HttpResponse:
    """Return an error that no view has raised."""
    body = json.dumps(body_of(status, code, sentence), ensure_ascii=False)
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)
