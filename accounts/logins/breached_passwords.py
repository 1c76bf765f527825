"""Refuses passwords that are known from breaches, without asking any outside service.

Django's own list has 20,000 passwords. With the setting ``BREACHED_PASSWORDS``, a whole list of
Have I Been Pwned is searched: the file "ordered by hash", of which each line is the SHA-1 of a
password in upper-case hexadecimal, a colon and a number.
"""

from __future__ import annotations

import hashlib
import mmap
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class BreachedPasswordValidator:
    """A validator that searches the file of ``BREACHED_PASSWORDS``, if there is one."""

    def validate(self, password: str, user: object = None) -> None:
        path = settings.BREACHED_PASSWORDS
        if path and contains(Path(path), password):
            raise ValidationError(
                _("This password is known from a data breach. Choose another one."),
                code="password_breached",
            )

    def get_help_text(self) -> str:
        return _("Your password can’t be one that is known from a data breach.")


def contains(path: Path, password: str) -> bool:
    """Return whether the sorted file has the password: some 30 looks into a file of any size."""
    # SHA-1 is the format of the list and protects nothing here.
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
        low, high = 0, len(lines)
        while low < high:
            middle = (low + high) // 2
            start = lines.rfind(b"\n", low, middle) + 1 or low
            end = lines.find(b"\n", middle)
            end = high if end < 0 else end + 1
            line = lines[start : start + len(wanted)]
            if line == wanted:
                return True
            if line < wanted:
                low = end
            else:
                high = start
    return False
