"""Requests that a hung database holds are answered; those that are only slow are not disturbed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.asgi import patience
from core.asgi.patience import Patience
from core.db import async_pool

SCOPE: dict[str, Any] = {"method": "GET", "path": "/slow/", "headers": []}
FORM = (b"content-type", b"application/x-www-form-urlencoded; charset=utf-8")


class Watched:
    """An application that waits for ``go``, and what was sent to its client."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.sent: list[Any] = []
        self.ended = asyncio.Event()
        self.is_first_part_early = False
        self.form = b""
        self.reads = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            if self.reads:
                while (await receive())["more_body"]:
                    pass
            if self.is_first_part_early:
                await send("start")
            await self.go.wait()
            await send("late")
        finally:
            self.ended.set()

    async def send(self, event: Any) -> None:
        self.sent.append(event)

    async def refuse(self, scope: Any, send: Any, form: bytes) -> None:
        self.form = form
        await send(503)

    async def receive(self) -> Any:
        return {"type": "http.request"}


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Whether it answers, and how often it was asked."""
    state: dict[str, Any] = {"answers": True, "asked": 0, "was_asked": asyncio.Event()}

    async def answers(seconds: float) -> bool:
        state["asked"] += 1
        state["was_asked"].set()
        await asyncio.sleep(0)
        return bool(state["answers"])

    monkeypatch.setattr(async_pool, "answers", answers)
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.01)
    return state


async def test_a_hung_database_is_reported_and_late_results_are_dropped(
    database: dict[str, Any],
) -> None:
    database["answers"] = False
    application = Watched()
    patient = Patience(application, application.refuse)
    await patient.serve(SCOPE, application.receive, application.send)
    assert application.sent == [503]
    application.go.set()
    await asyncio.wait_for(application.ended.wait(), 5)
    assert application.sent == [503]


async def test_a_slow_request_goes_on_while_the_database_answers(database: dict[str, Any]) -> None:
    application = Watched()
    patient = Patience(application, application.refuse)
    serving = asyncio.ensure_future(patient.serve(SCOPE, application.receive, application.send))
    await asyncio.wait_for(database["was_asked"].wait(), 5)
    application.go.set()
    await serving
    assert application.sent == ["late"]


async def test_an_answer_that_has_begun_is_never_cut(database: dict[str, Any]) -> None:
    database["answers"] = False
    application = Watched()
    application.is_first_part_early = True
    patient = Patience(application, application.refuse)
    serving = asyncio.ensure_future(patient.serve(SCOPE, application.receive, application.send))
    await asyncio.sleep(0.05)
    assert database["asked"] == 0
    application.go.set()
    await serving
    assert application.sent == ["start", "late"]


async def test_all_who_wait_share_one_probe(
    database: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    database["answers"] = False
    release = asyncio.Event()

    async def answers(seconds: float) -> bool:
        database["asked"] += 1
        await release.wait()
        return False

    monkeypatch.setattr(async_pool, "answers", answers)
    application = Watched()
    patient = Patience(application, application.refuse)
    serving = [
        asyncio.ensure_future(patient.serve(SCOPE, application.receive, application.send))
        for _request in range(20)
    ]
    await asyncio.sleep(0.05)
    release.set()
    await asyncio.gather(*serving)
    assert application.sent == [503] * 20
    assert database["asked"] == 1
    application.go.set()


async def test_errors_and_cancellations_reach_the_caller(database: dict[str, Any]) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("broken")

    application = Watched()
    with pytest.raises(ValueError, match="broken"):
        await Patience(broken, application.refuse).serve(
            SCOPE, application.receive, application.send
        )
    serving = asyncio.ensure_future(
        Patience(application, application.refuse).serve(
            SCOPE, application.receive, application.send
        )
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    await asyncio.wait_for(application.ended.wait(), 5)


@pytest.mark.parametrize(
    ("headers", "parts", "kept"),
    [
        ([FORM], [b"text=Mira", b"belle"], b"text=Mirabelle"),
        ([FORM], [b"x" * 65536], b"x" * 65536),
        ([FORM], [b"x" * 65536, b"x"], b""),
        ([(b"content-type", b"multipart/form-data; boundary=b")], [b"--b"], b""),
        ([], [b"text=Mirabelle"], b""),
    ],
)
async def test_the_form_is_there_for_the_answer(
    database: dict[str, Any], headers: Any, parts: list[bytes], kept: bytes
) -> None:
    database["answers"] = False
    application = Watched()
    application.reads = True
    events = [
        {"type": "http.request", "body": part, "more_body": n < len(parts)}
        for n, part in enumerate(parts, 1)
    ]

    async def receive() -> Any:
        return events.pop(0)

    patient = Patience(application, application.refuse)
    await patient.serve(SCOPE | {"headers": headers}, receive, application.send)
    assert (application.sent, application.form) == ([503], kept)
    application.go.set()
    await asyncio.wait_for(application.ended.wait(), 5)
