"""The texts of the desk's scripts, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from conversations.calls.texts import panel_texts
from conversations.canned import variables
from conversations.messages.attachments import upload_strings
from conversations.mirroring.permissions import CobrowsingObstacle
from conversations.models import Outcome
from core.text.emoji import emoji_strings
from desk.mirroring.picture import sentences


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
        "calls": panel_texts(),
        "stateFailed": _("Your availability could not be changed. Please try again."),
    }


def script_texts() -> dict[str, Any]:
    """Return texts by name, for the page's JSON: the CSP allows no inline script."""
    return (
        _dialogue_texts()
        | _composer_texts()
        | _reply_texts()
        | _mirror_texts()
        | _channel_texts()
        | upload_strings()
        | emoji_strings()
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
        "delivered": _("Delivered"),
        "undelivered": _("Not delivered"),
        "read": _("Read by the visitor"),
        "typing": _("is typing…"),
        "onSite": _("on site"),
        "left": _("left"),
        "arrived": _("New conversation:"),
        "noMessages": _("No messages yet."),
        "wholeEmail": _("Full e-mail"),
        "translated": _("Translated by a machine"),
        "translatedFor": _("Translated for the visitor by a machine"),
        "original": _("Show the original"),
        "translation": _("Show the translation"),
        "untranslated": _("Could not be translated"),
        "untranslatedFor": _("Could not be translated: the visitor reads the original"),
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


def _channel_texts() -> dict[str, str]:
    """Return the texts about the limits of a channel outside the Messenger."""
    return {
        "channelTooLong": _(
            "This message has {count} characters. {channel} takes {limit}. Send it in several "
            "parts."
        ),
        "channelCount": _("{count} of {limit} characters"),
        "channelFileKind": _("{channel} does not accept files of this kind."),
        "channelFileSize": _("{channel} accepts files of this kind up to {limit} MB."),
        "channelClosed": _("{channel} delivers only templates now. Choose one above."),
    }


def _cobrowsing_texts() -> dict[str, Any]:
    """Return the texts about what an agent does on the visitor's page."""
    return {
        "name": _("On the visitor's page"),
        "ask": _("Ask to act on the page"),
        "asked": _("Waiting for the visitor's answer…"),
        "takeBack": _("Cancel the request"),
        "accepted": _("The visitor lets you act on their page. They see everything you do."),
        "end": _("Hand back the page"),
        "tools": {
            "point": _("Point"),
            "highlight": _("Highlight"),
            "draw": _("Draw"),
            "click": _("Click"),
            "fill": _("Fill in"),
        },
        "text": _("Text for “{target}”"),
        "fill": _("Fill in"),
        "over": _("You can no longer act on the page."),
        "outcomes": dict(Outcome.choices)
        | {
            "done": _("Done: {target}"),
            "nameless": _("Done"),
            "unanswered": _("The visitor's browser has not answered."),
        },
        "why": {
            CobrowsingObstacle.OFF: _("This website does not let agents act on pages."),
            CobrowsingObstacle.NOT_HOLDER: _("Only the agent of this conversation can ask."),
            CobrowsingObstacle.BUSY: _("Someone has already asked."),
            CobrowsingObstacle.DECLINED: _("The visitor has declined or stopped three times."),
            "declined": _("The visitor has declined."),
            "unanswered": _("The visitor has not answered."),
            "stopped": _("The visitor has taken back the page."),
            "left": "",
        },
    }


def _mirror_texts() -> dict[str, Any]:
    """Return the texts about the picture of the visitor's page."""
    return {
        "mirrorLook": _("Show the page"),
        "mirrorTold": _("The visitor can see that you are looking."),
        "mirrorFrame": _("The visitor's page"),
        "mirrorEnlarge": _("Enlarge the page"),
        "mirrorShrink": _("Close the large view"),
        "mirrorStrip": _("Reduce the dialogue"),
        "mirrorMove": _("Move the dialogue"),
        "mirrorLeave": _("Stop looking"),
        "mirrorWaiting": _("Waiting for the visitor's page…"),
        "mirrorDown": _("The connection was lost. Reconnecting…"),
        "mirrorHidden": _("The visitor is not looking at the site at the moment."),
        "mirrorBlocked": _(
            "The visitor's site does not allow its page to be shown. The documentation on "
            "mirroring lists possible reasons. Ask an administrator."
        ),
        "mirrorTooLarge": _("This page is too large to be shown."),
        "mirrorBroken": _("This page cannot be shown."),
        "mirrorMissing": _("Pictures, styles or fonts that cannot be loaded here: {n}"),
        "mirrorOver": _("You no longer see the page."),
        "cobrowsing": _cobrowsing_texts(),
        "mirrorWhy": sentences() | {"revoked": _("You can no longer see this page.")},
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
        "suggestArticle": _("Article"),
        "suggestForAgents": _("For agents only. Opens in a new tab."),
        "suggestRead": _("Read “{title}” in a new tab"),
        "suggestAnswer": _("Past answer"),
        "suggestProvider": _("Suggestion"),
        "suggestHide": _("Hide suggestions"),
        "writing": {
            "busy": _("Being written…"),
            "made": _("Written by a machine. Check it before you send it."),
            "used": _("The text is in your reply. Check it before you send it."),
            "failed": _("No text could be written. Please try again, or write it yourself."),
            "noArticle": _("No article answers this, or none could be proven as a source."),
            "use": _("Use this text"),
            "drop": _("Drop it"),
            "sources": _("Sources"),
        },
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
