"""What every entry point requires of a JSON body: its content type and its size."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.rejection import Rejected

JSON = "application/json"
PLAIN = "text/plain"
"""A brand's page sends its JSON as this type, because browsers then need no preflight request."""

BODY_BYTES = 64 * 1024


def check_type(content_type: str, kind: str) -> None:
    """Raise ``Rejected`` unless the header ``content_type`` names ``kind``."""
    if content_type.partition(";")[0].strip().lower() != kind:
        raise not_json()


def not_json() -> Rejected:
    return Rejected("invalid", _("The request must contain JSON."), 400)


def too_long() -> Rejected:
    """Reject a body that is larger than any valid request."""
    return Rejected("too_long", _("This message is too long."), 413)
