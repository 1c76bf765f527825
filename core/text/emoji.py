"""Texts of the emoji picker on the desk and in the Messenger (static/shared/emoji.js)."""

from __future__ import annotations

from django.utils.translation import gettext as _


def emoji_strings() -> dict[str, str]:
    return {
        "emoji": _("Emoji"),
        "emoji_search": _("Search for an emoji"),
        "emoji_recent": _("Recently used"),
        "emoji_none": _("No emoji matches this name."),
        "emoji_failed": _(
            "The emoji could not be loaded. Close and reopen the picker to try again."
        ),
    }
