"""Texts of the Messenger's scripts, in the request's language; the scripts fill ``{n}``."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def frame_strings() -> dict[str, str]:
    """Return the texts for the page in the iframe."""
    return {
        "usually_hours": _("Usually replies within a few hours"),
        "usually_now": _("Online now"),
        "busy": _("Our advisers are busy"),
        "closed_now": _("We are closed at the moment"),
        "back_today": _("We are back today at {time}."),
        "back_tomorrow": _("We are back tomorrow at {time}."),
        "back_on": _("We are back on {day} at {time}."),
        "room_watched": _("We will tell you here as soon as there is room."),
        "room_again": _("There is room again: you can send your message now."),
        "place_first": _("You are next in line."),
        "place": _("You are number {n} in line."),
        "within_minutes": _("It should be your turn within {n} minutes."),
        "within_hours": _("It should be your turn within {n} hours."),
        "waiting": _("Your message has arrived; an adviser will answer you."),
        "arrived": _("Your message has arrived; our team will answer you."),
        "waiting_for": _(
            "Your message has arrived. {name} will answer you, or else one of their colleagues."
        ),
        "waiting_live": _("Waiting for an adviser"),
        "away_note": _("{name} is not connected at the moment. Your messages are kept here."),
        "agent_talking": _("{name} is talking with you"),
        "agent_received": _("{name} has your message"),
        "agent_away": _("{name} is away for now"),
        "agent_expected": _("Waiting for {name}"),
        "status_bot": _("A bot is answering you"),
        "status_paused": _("On pause; write at any time"),
        "status_solved": _("Resolved; you can still write"),
        "status_closed": _("Conversation ended"),
        "today": _("Today"),
        "yesterday": _("Yesterday"),
        "news_one": _("1 new message"),
        "news_many": _("{n} new messages"),
        "to_end": _("Go to the latest messages"),
        "choices": _("Choose an answer"),
        "cards": _("Proposals"),
        "you": _("You"),
        "sending": _("Sending…"),
        "waiting_line": _("Will be sent when the connection is back"),
        "sent": _("Sent"),
        "read": pgettext("tick of a message", "Read"),
        "typing": _("{name} is typing…"),
        "offline": _("No connection. What you write is kept and sent when it is back."),
        "rejected": _("Your message could not be sent. It is back in the box below."),
        "lost": _("We do not know this browser any more. Please start again."),
        "consent_title": _("Before we start"),
        "privacy_policy": _("Our privacy policy"),
        "consent_outdated": _("This text has changed: do you still agree?"),
        "consent_withdrawn": _("You have withdrawn your consent"),
        "consent_first": _("Please accept first; your message is kept."),
        "failed": _("That did not work. Please try again."),
        "no_engagement": _(
            "Our advisers cannot take a new conversation now. Please come back later."
        ),
        "other_with": _("Your other conversation, with {name}"),
        "other_of": _("Your other conversation, of {date}"),
        "history_with": _("{date} with {name}"),
        "history_of": _("Conversation of {date}"),
        "history_failed": _("This conversation could not be loaded. Open it again to retry."),
        "csat_1": _("Very dissatisfied"),
        "csat_2": _("Dissatisfied"),
        "csat_3": _("Neutral"),
        "csat_4": _("Satisfied"),
        "csat_5": _("Very satisfied"),
        "link_opens": _("opens in a new tab"),
        "link_over": _("The link of this e-mail is no longer valid. You can write to us here."),
        "email_known": _("We will write to {email} when an adviser answers."),
        "email_off": _("E-mails to {email} are switched off."),
        "email_refused": _("{email} does not accept our e-mails. Is it correct?"),
        "email_saved": _("Saved."),
        "email_deleted": _("Your address has been deleted."),
        "file_failed": _("Could not be loaded. Try again."),
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
