"""Django texts with another French translation here; our catalogue takes precedence over
Django's."""

from __future__ import annotations

from django.utils.translation import gettext_noop, pgettext_lazy

# Abbreviated as browsers do (CLDR), so that a page and its script agree (C79).
MONTHS = (pgettext_lazy("abbrev. month", "Jan."), pgettext_lazy("abbrev. month", "Feb."))

# Django's translations have straight apostrophes or breaking spaces (C78).
APOSTROPHES = (
    gettext_noop("Breadcrumbs"),
    gettext_noop("Today"),
    gettext_noop("Disable password-based authentication"),
    gettext_noop("Enable password-based authentication"),
    gettext_noop("Password-based authentication was disabled."),
    gettext_noop("Constraint “%(name)s” is violated."),
)
