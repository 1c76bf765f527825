"""Files in requests and answers: how large an upload may be, and what a download is."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import ngettext

from core.rejection import Rejected

UPLOAD_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Download:
    """Bytes to hand out, and what they are."""

    name: str
    content_type: str
    content: bytes


def too_large() -> Rejected:
    megabytes = UPLOAD_BYTES // 2**20
    text = ngettext(
        "This file is too large. The limit is %(n)d MB.",
        "This file is too large. The limit is %(n)d MB.",
        megabytes,
    )
    return Rejected("too_large", text % {"n": megabytes}, 413)
