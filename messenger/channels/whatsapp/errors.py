"""What the errors of WhatsApp mean for a message: later, never, or not until somebody mends the
access. Meta asks to decide by the code: titles change, and statuses of HTTP say little."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from messenger.channels.connector import Disconnected, Later, Undeliverable
from messenger.channels.provider_calls import WAIT_LIMIT, Reply

ACCESS = frozenset({0, 3, 10, 190, 131005, 131031, 131042, 131045, 133010})
"""The token, the permissions, the account, its payment or its number: no message would fare
better."""

BUSY = frozenset({1, 2, 4, 17, 32, 613, 80007, 130429, 131000, 131016, 131048, 131056, 131057})
"""Meta is in trouble, or we send too fast."""

SENTENCES = {
    131026: gettext_noop("WhatsApp cannot deliver to this number."),
    131047: gettext_noop(
        "More than 24 hours have passed since the person’s last message. Only approved templates "
        "are delivered now."
    ),
    131049: gettext_noop("WhatsApp holds this message back, to limit advertising."),
    131050: gettext_noop("The person does not want messages of this kind."),
    131051: gettext_noop("WhatsApp does not accept this kind of message."),
    131053: gettext_noop("WhatsApp does not accept this file."),
    132001: gettext_noop("This template no longer exists."),
    132015: gettext_noop("WhatsApp has paused this template."),
    132016: gettext_noop("WhatsApp has disabled this template."),
}
NO_ACCESS = gettext_noop("WhatsApp does not accept the access token, or it lacks permissions.")


def checked(reply: Reply) -> Reply:
    """Return a success; raise what the answer means for the message."""
    error = reply.data.get("error")
    if reply.is_success and not error:
        return reply
    if not isinstance(error, dict):
        error = {}
    code, wait = code_of(error), max(reply.retry_after, _wait_of(reply.headers))
    # Before the access: limits come with the status 400 or 403, too.
    if code in BUSY or reply.status == 429:
        raise Later(sentence_of(error, reply.status), seconds=min(wait, WAIT_LIMIT))
    if reply.status == 401 or code in ACCESS or code in range(200, 300):
        raise Disconnected(NO_ACCESS)
    if reply.status >= 500:
        raise Later(f"HTTP {reply.status}", seconds=reply.retry_after)
    raise Undeliverable(sentence_of(error, reply.status))


def sentence_of(error: Mapping[str, Any], status: int = 0) -> str:
    """Return why, in words of ours where we know more than Meta says."""
    code = code_of(error)
    if code in SENTENCES:
        return SENTENCES[code]
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else ""
    said = str(details or error.get("message") or error.get("title") or "")[:200]
    return f"{said} ({code})" if said else f"HTTP {status}"


def code_of(error: Mapping[str, Any]) -> int:
    """Return the code; -1 if there is none. 0 is one: the token has expired."""
    code = error.get("code")
    return code if isinstance(code, int) else -1


def _wait_of(headers: Mapping[str, str]) -> float:
    """Return how long an account that sent too much must wait, in seconds. The header says minutes,
    for each kind of limit of each account."""
    try:
        usage = json.loads(headers.get("x-business-use-case-usage", "{}"))
        return 60.0 * max(_minutes(usage), default=0)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return 0.0


def _minutes(usage: Mapping[str, Any]) -> Iterator[float]:
    for limits in usage.values():
        for limit in limits:
            yield float(limit.get("estimated_time_to_regain_access") or 0)
