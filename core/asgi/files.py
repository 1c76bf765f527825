"""Files in requests and responses: the upload limit and the download."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import ngettext

from core.rejection import Rejected

UPLOAD_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Download:
    """A file to send: its name, content type and bytes."""

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
