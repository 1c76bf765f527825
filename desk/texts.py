"""The texts of the desk's scripts, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from conversations.canned import variables
from conversations.messages.attachments import upload_strings
from core.text.emoji import emoji_strings


def bar_texts() -> dict[str, Any]:
    """Return the texts of the bar's script, which runs on every staff page."""
    return {
        "close": _("Close this notice"),
        "newConversation": _("New conversation"),
        "newMessage": _("New message:"),
        "toDesk": _("Open"),
        "waiting": _("waiting for you"),
        "alertsRefused": _(
            "Your browser does not allow notifications here. Allow them in its settings first."
        ),
        "stateFailed": _("Your availability could not be changed. Please try again."),
    }


def script_texts() -> dict[str, Any]:
    """Return texts by name, for the page's JSON: the CSP allows no inline script."""
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
            "wholeEmail": _("The whole e-mail"),
            "failed": _("This did not work: the server cannot be reached. Please try again."),
            "refused": _("This could not be done. Please reload the page."),
            "undo": _("Undo"),
            "noted": _("The note is there for the team."),
            "save": _("Save"),
            "shut": _("Close the picture"),
            "appLoading": _("Loading …"),
            "appSilent": _("This application does not answer."),
            "appForbidden": _("An application on the desk’s own address is not opened."),
            "notDelivered": _(
                "Your text could not be sent, so nothing else was done. Look at it, then try again."
            ),
            "transferTo": pgettext("a colleague", "Transfer to {name}"),
            "transferToTeam": pgettext("a team", "Transfer to {name}"),
            "snooze": _("Snooze"),
            "snoozeSendUntil": _("Send and snooze until {moment}"),
            "snoozeSendUntilHour": pgettext("an hour of today", "Send and snooze until {moment}"),
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
