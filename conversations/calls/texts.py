"""The texts of a call's panel, in the reader's language; the script fills ``{name}``."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def panel_texts() -> dict[str, str]:
    return _ringing() | _during() | _ending()


def _ringing() -> dict[str, str]:
    return {
        "voice": _("Call"),
        "video": _("Video call"),
        "region": _("Call in progress"),
        "rings": _("{name} is calling you"),
        "rings_video": _("{name} is calling you with video"),
        "calling": _("Calling {name}…"),
        "answer": pgettext("a call", "Answer"),
        "answer_video": _("Answer with camera"),
        "decline": pgettext("a call", "Decline"),
        "cancel": _("Cancel the call"),
        "elsewhere": _("The call was answered in another tab."),
        "open_room": _("Open the call"),
        "in_room": _("The call takes place in another tab."),
    }


def _during() -> dict[str, str]:
    return {
        "connecting": _("Connecting to {name}…"),
        "connected": _("In a call with {name}"),
        "resuming": _("Resuming the call with {name}…"),
        "interrupted": _("The connection is interrupted. Reconnecting…"),
        "bad_network": _("The connection is poor. Turning off the cameras may help."),
        "is_muted": _("{name} is muted"),
        "on_hold": _("The call is on hold"),
        "holds_you": _("{name} has put the call on hold"),
        "shares": _("{name} is sharing the screen"),
        "mute": _("Mute the microphone"),
        "unmute": _("Unmute the microphone"),
        "camera_on": _("Turn the camera on"),
        "camera_off": _("Turn the camera off"),
        "share": _("Share the screen"),
        "unshare": _("Stop sharing the screen"),
        "hold": _("Put the call on hold"),
        "unhold": _("Take the call off hold"),
        "float": _("Show in a small window"),
        "fill": _("Full screen"),
        "devices": _("Microphone, camera and speaker"),
        "device_audio": _("Microphone"),
        "device_camera": _("Camera"),
        "device_output": _("Speaker"),
        "level": _("Level of the microphone"),
        "hang_up": _("Hang up"),
    }


def _ending() -> dict[str, str]:
    return {
        "over": _("The call has ended."),
        "over_by_other": _("{name} has hung up."),
        "declined": _("{name} cannot take the call now."),
        "no_answer": _("{name} did not answer."),
        "missed": _("You missed a call from {name}."),
        "lost": _("The call has ended because the connection was lost."),
        "moved": _("The call has ended because the conversation moved on."),
        "failed": _("The call could not be connected. Your network may not allow calls."),
        "unreachable": _("The server cannot be reached. Please try again."),
        "impossible": _("Your browser or this address does not allow calls."),
        "refused": _(
            "Your browser does not let this page use the microphone. Allow it in the settings of "
            "the page, then call again."
        ),
        "no_microphone": _("No microphone was found. Connect one, then call again."),
        "no_camera": _("The camera cannot be used."),
        "no_screen": _("The screen is not shared."),
        "no_device": _("This device cannot be used."),
        "no_float": _("Your browser does not allow this here."),
        "close": _("Close this notice"),
    }
