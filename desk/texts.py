"""The sentences that the desk's script says, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from conversations.attachments import upload_strings
from conversations.canned import variables
from conversations.emoji import emoji_strings


def script_texts() -> dict[str, Any]:
    """By name; the page carries them as JSON, since the CSP allows no inline script."""
    return (
        {
            "today": _("Today"),
            "yesterday": _("Yesterday"),
            "bot": _("Bot"),
            "youSaid": _("You:"),
            "botSaid": _("Bot:"),
            "sending": _("Sending"),
            "sent": _("Sent"),
            "read": _("Read by the visitor"),
            "typing": _("is writing …"),
            "onSite": _("on site"),
            "left": _("left"),
            "arrived": _("New conversation:"),
            "noMessages": _("No message yet."),
            "failed": _("This did not work: the server cannot be reached. Please try again."),
            "refused": _("This could not be done. Please reload the page."),
            "close": _("Close this notice"),
            "save": _("Save"),
            "shut": _("Close the picture"),
            "appLoading": _("Loading …"),
            "appSilent": _("This application does not answer."),
            "appForbidden": _("An application on the desk’s own address is not opened."),
            "snooze": _("Snooze"),
            "snoozeUntil": _("Snooze until {moment}"),
            "snoozeUntilHour": pgettext("an hour of today", "Snooze until {moment}"),
            "canned": _("Canned replies"),
            "cannedSearch": _("Search in the canned replies"),
            "cannedNone": _("No reply holds these words. Enter goes back to your text."),
            "cannedHint": _("Arrows choose, Enter inserts, Escape goes back"),
            "cannedManage": _("Manage replies"),
            "cannedMissing": _("Left out, since it is not known: {names}."),
            "cannedRaw": _(
                "{place} was not filled in: visitors would read it like this. Enter again sends it."
            ),
            "suggestCanned": _("Canned reply"),
            "suggestAnswer": _("Past answer"),
            "suggestProvider": _("Suggestion"),
            "suggestHide": _("Hide the suggestions"),
            "alertsRefused": _(
                "Your browser does not allow notifications here. Allow them in its settings first."
            ),
            "newConversation": _("New conversation"),
            "paletteFind": _("Search all conversations for “{words}”"),
            "palette": {
                "conversation": _("Conversation"),
                "action": _("Action"),
                "availability": _("Availability"),
                "view": _("View"),
                "go": _("Go to"),
            },
            "variables": " ".join(variables.NAMES),
        }
        | upload_strings()
        | emoji_strings()
    )
