"""Links from a lower room to a page of a higher one.

The lower room names the page it needs; ``config/wiring.py`` says which URL that is.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse


class PageLink:
    """A link to a page whose URL belongs to a higher room."""

    def __init__(self, page: str) -> None:
        self.page = page
        self._url_name = ""

    def connect(self, url_name: str) -> None:
        self._url_name = url_name

    def url(self, *args: Any) -> str:
        if not self._url_name:
            raise LookupError(f"config/wiring.py connects no URL with {self.page}")
        return reverse(self._url_name, args=args)
