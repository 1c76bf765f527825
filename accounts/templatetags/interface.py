"""Template tags for all staff pages: icons, initials, times, language names."""

from __future__ import annotations

import json
from datetime import datetime

from django import template
from django.contrib.admin.helpers import InlineAdminFormSet
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from accounts import moments

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Render a decorative icon of the sprite. Text or a label beside it carries the meaning."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("vendor/lucide/sprite.svg"),
        name,
    )


@register.filter
def initials(name: str) -> str:
    """Return the first letters of the first and the last word: "Jeanne de la Tour" -> "JT"."""
    words = name.split()
    return "".join(word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words[:1]))


register.filter("moment", moments.moment, expects_localtime=True)
register.filter("length_of_time", moments.duration)


@register.filter(expects_localtime=True)
def near_moment(at: datetime) -> SafeString:
    """Render a moment as a label: "today 14:05". The script of a live page updates it."""
    return format_html(
        '<time data-moment datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        date_format(at, "DATETIME_FORMAT"),
        moments.near_moment(at),
    )


@register.filter
def clock(since: datetime | None) -> str:
    """Return the time since a moment. The script of a live page goes on counting."""
    return "–" if since is None else moments.duration(timezone.now() - since)


@register.filter
def time_left(until: datetime | None) -> str:
    """Return the time until a moment. The script of a live page goes on counting."""
    return "–" if until is None else moments.duration(until - timezone.now())


@register.filter
def language_name(code: str) -> str:
    """Return the name of a language in the reader's language, or the code if it is unknown."""
    try:
        name: str = get_language_info(code)["name_translated"]
    except KeyError:
        return code
    return name


@register.filter
def named(field: BoundField, row: object) -> SafeString:
    """Render a field in a table with an accessible name: its column, and its row if it has one."""
    label = str(capfirst(field.label))
    name = label if row is None else f"{label}, {row}"
    return field.as_widget(attrs={"aria-label": name})


@register.filter
def formset_data(rows: InlineAdminFormSet) -> str:
    """Return the data for Django's inline script, with our own text on the button: Django's French
    one names an "object" and its type."""
    data = json.loads(rows.inline_formset_data())
    name = rows.opts.verbose_name
    data["options"]["addText"] = _("Add: %(name)s") % {"name": name}
    return json.dumps(data)


@register.filter
def is_web_address(address: str) -> bool:
    """Return whether an address sent by a visitor's browser is safe as a link."""
    return address.startswith(("https://", "http://"))
