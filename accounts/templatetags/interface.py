"""What every page of the staff draws: icons, initials, clocks, names of languages."""

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


register.filter("moment", moments.moment, expects_localtime=True)
register.filter("length_of_time", moments.duration)


@register.filter(expects_localtime=True)
def near_moment(at: datetime) -> SafeString:
    """A moment as a label: "today 14:05"; a live page's script says "yesterday" when it is."""
    return format_html(
        '<time data-moment datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        date_format(at, "DATETIME_FORMAT"),
        moments.near_moment(at),
    )


@register.filter
def clock(since: datetime | None) -> str:
    """How long ago, as the pages' script goes on counting it."""
    return "–" if since is None else moments.duration(timezone.now() - since)


@register.filter
def time_left(until: datetime | None) -> str:
    """How long until then, as the pages' script goes on counting it."""
    return "–" if until is None else moments.duration(until - timezone.now())


@register.filter
def language_name(code: str) -> str:
    """The name of a language in the reader's language; the code where it is not known."""
    try:
        name: str = get_language_info(code)["name_translated"]
    except KeyError:
        return code
    return name


@register.filter
def named(field: BoundField, row: object) -> SafeString:
    """A field of a table with a name: its column, and its row where that is known by one."""
    label = str(capfirst(field.label))
    name = label if row is None else f"{label}, {row}"
    return field.as_widget(attrs={"aria-label": name})


@register.filter
def formset_data(rows: InlineAdminFormSet) -> str:
    """What Django's script for rows reads, with a button in words of our own: Django's French
    names an "object" and its type."""
    data = json.loads(rows.inline_formset_data())
    name = rows.opts.verbose_name
    data["options"]["addText"] = _("Add: %(name)s") % {"name": name}
    return json.dumps(data)


@register.filter
def is_web_address(address: str) -> bool:
    """Whether an address that a visitor's browser told may be made a link."""
    return address.startswith(("https://", "http://"))
