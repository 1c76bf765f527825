"""What every page of the staff draws: icons, initials, clocks, names of languages."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """One icon of the sprite, as decoration: the words beside it, or the label, say the same."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("vendor/lucide/sprite.svg"),
        name,
    )


@register.filter
def initials(name: str) -> str:
    """The first letters of the first and the last word: "Jeanne de la Tour" -> "JT"."""
    words = name.split()
    return "".join(word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words[:1]))


@register.filter
def clock(since: datetime | None) -> str:
    """How long ago, as the pages' script goes on counting it."""
    return "–" if since is None else length_of_time(timezone.now() - since)


@register.filter
def length_of_time(length: timedelta) -> str:
    """2:10, 1 h 05, 3 d 4 h."""
    seconds = max(int(length.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours % 24}
    if hours:
        return f"{hours} h {minutes % 60:02}"
    return f"{minutes}:{seconds % 60:02}"


@register.filter
def language_name(code: str) -> str:
    """The name of a language in the reader's language; the code where it is not known."""
    try:
        name: str = get_language_info(code)["name_translated"]
    except KeyError:
        return code
    return name


@register.filter
def is_web_address(address: str) -> bool:
    """Whether an address that a visitor's browser told may be made a link."""
    return address.startswith(("https://", "http://"))
