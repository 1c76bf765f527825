"""What agents may do on visitors' pages, each a permission of the website (R191)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class CobrowsingPermission(models.TextChoices):
    """In the order of what it lets agents change. Passwords, payment fields and files are never
    theirs, whatever is allowed."""

    POINT = "point", _("show a pointer")
    HIGHLIGHT = "highlight", _("highlight parts of the page")
    DRAW = "draw", _("draw on the page")
    SCROLL = "scroll", _("scroll")
    LINK = "link", _("open links of the site")
    CLICK = "click", _("click")
    FILL = "fill", _("fill in fields")
    SUBMIT = "submit", _("submit forms")
