"""Texts of Django that French reads otherwise here; the catalogue's word comes before Django's."""

from __future__ import annotations

from django.utils.translation import gettext_noop, pgettext_lazy

# As the browser abbreviates them (CLDR), so that a page and its script agree (C79).
MONTHS = (pgettext_lazy("abbrev. month", "Jan."), pgettext_lazy("abbrev. month", "Feb."))

# Django's have straight apostrophes or spaces that break (C78).
APOSTROPHES = (
    gettext_noop("Breadcrumbs"),
    gettext_noop("Today"),
    gettext_noop("Disable password-based authentication"),
    gettext_noop("Enable password-based authentication"),
    gettext_noop("Password-based authentication was disabled."),
    gettext_noop("Constraint “%(name)s” is violated."),
)
