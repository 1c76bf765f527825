"""Web addresses in the templates of the desk."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from desk.addresses import short

register = template.Library()


@register.filter
def short_address(address: str, own_hosts: Iterable[str]) -> SafeString:
    """Shorten a URL (see ``short``); lines break after slashes."""
    parts = short(address, own_hosts).split("/")
    return format_html_join(mark_safe("/<wbr>"), "{}", ((part,) for part in parts))
