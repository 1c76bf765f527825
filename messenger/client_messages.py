"""Texts of the Messenger's scripts, in the request's language; the scripts fill ``{n}``."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import CobrowsingPermission


def frame_strings() -> dict[str, str]:
    """Return the texts for the page in the iframe."""
    return _state_strings() | _message_strings() | _other_strings() | _call_request_strings()


def _state_strings() -> dict[str, str]:
    """Return the texts about when the team answers, and the state of the conversation."""
    return {
        "usually_hours": _("Usually replies within a few hours"),
        "usually_now": _("Online now"),
        "busy": _("Our advisers are busy"),
        "closed_now": _("We are closed at the moment"),
        "back_today": _("We are back today at {time}."),
        "back_tomorrow": _("We are back tomorrow at {time}."),
        "back_on": _("We are back on {day} at {time}."),
        "room_watched": _("We will let you know here as soon as a place is free."),
        "room_again": _("A place is free. You can send your message now."),
        "place_first": _("You are next in line."),
        "place": _("You are number {n} in line."),
        "within_minutes": _("Estimated wait: up to {n} minutes."),
        "within_hours": _("Estimated wait: up to {n} hours."),
        "waiting": _("We received your message. An adviser will answer you."),
        "arrived": _("We received your message. Our team will answer you."),
        "waiting_for": _("We received your message. {name} or a colleague will answer you."),
        "waiting_live": _("Waiting for an adviser"),
        "waiting_call": _("An adviser will call you here. Please keep this page open."),
        "away_note": _("{name} is not online at the moment. Your messages are saved here."),
        "agent_talking": _("{name} is answering you"),
        "agent_received": _("{name} received your message"),
        "agent_away": _("{name} is away at the moment"),
        "agent_expected": _("Waiting for {name}"),
        "status_bot": _("A bot is answering you"),
        "bot_talking": _("{name} (bot) is answering you"),
        "status_paused": _("Paused. You can write at any time"),
        "status_solved": _("Resolved. You can still write"),
        "status_closed": _("Conversation ended"),
    }


def _message_strings() -> dict[str, str]:
    """Return the texts about the messages and the composer."""
    return {
        "bot": _("Bot"),
        "today": _("Today"),
        "yesterday": _("Yesterday"),
        "news_one": _("1 new message"),
        "news_many": _("{n} new messages"),
        "to_end": _("Go to the latest messages"),
        "choices": _("Choose an answer"),
        "person": _("I would like to talk to a person"),
        "cards": _("Suggestions"),
        "you": _("You"),
        "translated": _("Translated by a machine"),
        "translated_for": _("Translated for our adviser"),
        "original": _("Show the original"),
        "translation": _("Show the translation"),
        "sending": _("Sending…"),
        "waiting_line": _("Will be sent when you are back online"),
        "sent": _("Sent"),
        "read": pgettext("tick of a message", "Read"),
        "typing": _("{name} is typing…"),
        "offline": _(
            "No connection. Your messages are saved and will be sent when you are back online."
        ),
        "rejected": _("Your message could not be sent. Your text is back in the box below."),
        "lost": _("We no longer recognise this browser. Please start again."),
        "failed": _("This did not work. Please try again."),
        "no_engagement": _(
            "Our advisers cannot take a new conversation at the moment. Please come back later."
        ),
        "link_opens": _("opens in a new tab"),
        "link_over": _("The link in this e-mail is no longer valid. You can write to us here."),
        "file_failed": _("This could not be loaded. Try again."),
    }


def _call_request_strings() -> dict[str, str]:
    """Return the labels of the buttons that ask for a call, and the messages that they send."""
    return {
        "call_now": _("Call an adviser"),
        "call_later": _("Ask to be called back"),
        "video_now": _("Video call with an adviser"),
        "video_later": _("Ask for a video call back"),
        "call_request": _("I would like to talk to an adviser."),
        "video_request": _("I would like a video call with an adviser."),
    }


def _other_strings() -> dict[str, str]:
    """Return the texts about consent, other conversations, the survey and e-mail."""
    return {
        "consent_title": _("Before we start"),
        "privacy_policy": _("Our privacy policy"),
        "consent_outdated": _("This text has changed. Do you still agree?"),
        "consent_withdrawn": _("You have withdrawn your consent"),
        "consent_first": _("Please accept first. Your message is saved."),
        "other_with": _("Your other conversation, with {name}"),
        "other_of": _("Your other conversation, started {date}"),
        "history_with": _("{date} with {name}"),
        "history_of": _("Conversation of {date}"),
        "history_failed": _("This conversation could not be loaded. Open it again to retry."),
        "csat_1": _("Very dissatisfied"),
        "csat_2": _("Dissatisfied"),
        "csat_3": _("Neutral"),
        "csat_4": _("Satisfied"),
        "csat_5": _("Very satisfied"),
        "email_known": _("We will write to {email} when an adviser answers."),
        "email_off": _("E-mails to {email} are turned off."),
        "email_refused": _("{email} does not accept our e-mails. Is it correct?"),
        "email_saved": _("Saved."),
        "email_deleted": _("Your address has been deleted."),
    }


def embed_labels() -> dict[str, str]:
    """Return the labels for ``embed.js``, on the brand's page."""
    return {
        "open": _("Open the chat"),
        "minimize": _("Minimise the chat"),
        "one": _("1 new message"),
        "many": _("{n} new messages"),
        "dismiss": _("Dismiss this message"),
        "frame": _("Chat with {brand}"),
    }


def mirror_labels(*, are_stored: bool) -> dict[str, Any]:
    """Return the labels of the border around a page that agents look at."""
    one, many = (
        (
            _("{names} can see this page, and it is stored"),
            pgettext("several people", "{names} can see this page, and it is stored"),
        )
        if are_stored
        else (
            _("{names} can see this page"),
            pgettext("several people", "{names} can see this page"),
        )
    )
    return {
        "one": one,
        "many": many,
        "stop": _("Stop sharing"),
        "cobrowsing": _cobrowsing_labels(),
    }


def _cobrowsing_labels() -> dict[str, Any]:
    """Return what the visitor reads while an agent asks to act on their page, and does so."""
    return {
        "asks": _("{name} would like to help you on this page. Do you allow them to:"),
        "on": _("{name} can act on this page"),
        "stop": _("Take back the page (Esc)"),
        "decline": _("No thanks"),
        "failed": _("This did not work. Please try again."),
        "permissions": dict(CobrowsingPermission.choices),
        "acts": {
            "highlight": _("{name} highlights “{target}”"),
            "draw": _("{name} draws on the page"),
            "scroll": _("{name} scrolls"),
            "link": _("{name} opens “{target}”"),
            "click": _("{name} clicks “{target}”"),
            "fill": _("{name} fills in “{target}”"),
        },
    }
