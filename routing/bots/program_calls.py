"""Requests to the programs of bots: signed by Standard Webhooks, bounded, and read strictly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from standardwebhooks import Webhook

from core import encryption, outside_calls, outside_servers
from core.encryption import Secret
from core.outside_calls import Answer
from routing.bots import contract
from routing.bots.contract import Action
from routing.models import Fault

SECONDS = 10  # for the whole of one request


@dataclass(frozen=True, slots=True)
class Request:
    """An event for a program. ``id`` stays the same when it is repeated."""

    id: str
    url: str
    secret: Secret
    event: dict[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """What the program wants, or why it gave no valid answer; ``detail`` says more, in English."""

    actions: tuple[Action, ...] = ()
    fault: Fault | None = None
    detail: str = ""


def send(request: Request, *, at: datetime) -> Answered:
    """Send an event and return the answer. Whatever goes wrong is a fault, never an exception."""
    try:
        return _read(_post(request, at=at))
    except outside_calls.TooSlow as failed:
        return Answered(fault=Fault.TIMEOUT, detail=str(failed))
    except outside_calls.Failed as failed:
        return Answered(fault=Fault.UNREACHABLE, detail=str(failed))
    except outside_servers.Forbidden:
        return Answered(fault=Fault.FORBIDDEN)
    except contract.Invalid as invalid:
        return Answered(fault=Fault.INVALID, detail=str(invalid))
    except encryption.Unreadable:
        return Answered(fault=Fault.SECRET)


def _post(request: Request, *, at: datetime) -> Answer:
    content = json.dumps(request.event, ensure_ascii=False)
    headers = headers_of(request.id, request.secret.reveal(), content, at=at)
    with outside_calls.Server(request.url, allowed=settings.PRIVATE_SERVERS) as server:
        return server.send(
            "POST",
            content.encode(),
            headers=headers,
            seconds=request.seconds,
            limit=contract.ANSWER_LIMIT,
        )


def _read(answer: Answer) -> Answered:
    if 300 <= answer.status < 400:
        return Answered(fault=Fault.REDIRECT, detail=f"status {answer.status}")
    if not answer.is_success:
        return Answered(fault=Fault.STATUS, detail=f"status {answer.status}")
    if answer.is_cut:
        return Answered(fault=Fault.TOO_LARGE, detail="the answer is too long")
    return Answered(tuple(contract.read(answer.content)))


def headers_of(id: str, secret: str, content: str, *, at: datetime) -> dict[str, str]:
    """Return the headers of a request, with its signature."""
    moment = int(at.timestamp())
    signed_at = datetime.fromtimestamp(moment, tz=UTC)
    return {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(moment),
        "webhook-signature": Webhook(secret).sign(id, signed_at, content),
    }
