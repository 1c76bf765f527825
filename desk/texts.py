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
            "Your browser blocks notifications for this site. Allow them in its settings first."
        ),
        "stateFailed": _("Your availability could not be changed. Please try again."),
    }


def script_texts() -> dict[str, Any]:
    """Return texts by name, for the page's JSON: the CSP allows no inline script."""
    return (
        _dialogue_texts() | _composer_texts() | _reply_texts() | upload_strings() | emoji_strings()
    )


def _dialogue_texts() -> dict[str, str]:
    """Return the texts about the dialogue and its messages."""
    return {
        "today": _("Today"),
        "yesterday": _("Yesterday"),
        "bot": _("Bot"),
        "youSaid": _("You:"),
        "botSaid": _("Bot:"),
        "sending": _("Sending"),
        "sent": _("Sent"),
        "read": _("Read by the visitor"),
        "typing": _("is typing…"),
        "onSite": _("on site"),
        "left": _("left"),
        "arrived": _("New conversation:"),
        "noMessages": _("No messages yet."),
        "wholeEmail": _("Full e-mail"),
        "failed": _("The server cannot be reached. Please try again."),
        "refused": _("This did not work. Please reload the page."),
        "undo": _("Undo"),
        "noted": _("Your note was saved for the team."),
        "save": _("Save"),
        "shut": _("Close the picture"),
        "appLoading": _("Loading…"),
        "appSilent": _("This application is not responding."),
        "appForbidden": _("An application cannot be on the same host as the desk."),
    }


def _composer_texts() -> dict[str, str]:
    """Return the texts about sending, transferring and snoozing from the composer."""
    return {
        "notDelivered": _(
            "Your message could not be sent, so nothing else was done. Check it and try again."
        ),
        "transferTo": pgettext("a colleague", "Transfer to {name}"),
        "transferToTeam": pgettext("a team", "Transfer to {name}"),
        "snooze": _("Snooze"),
        "snoozeSendUntil": _("Send and snooze until {moment}"),
        "snoozeSendUntilHour": pgettext("an hour of today", "Send and snooze until {moment}"),
        "snoozeUntil": _("Snooze until {moment}"),
        "snoozeUntilHour": pgettext("an hour of today", "Snooze until {moment}"),
    }


def _reply_texts() -> dict[str, Any]:
    """Return the texts about canned replies, suggestions and the palette."""
    return {
        "canned": _("Canned replies"),
        "cannedSearch": _("Search canned replies"),
        "cannedNone": _("No reply contains these words. Press Enter to return to your text."),
        "cannedHint": _("Arrow keys to choose, Enter to insert, Escape to go back"),
        "cannedManage": _("Manage replies"),
        "cannedMissing": _("Left out because the value is unknown: {names}."),
        "cannedRaw": _(
            "{place} was not filled in, so visitors would see it as is. Press Enter again to send."
        ),
        "suggestCanned": _("Canned reply"),
        "suggestAnswer": _("Past answer"),
        "suggestProvider": _("Suggestion"),
        "suggestHide": _("Hide suggestions"),
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
