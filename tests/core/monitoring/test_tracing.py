"""Traces: one leads from a visitor's request through the outbox to the worker."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import connection, transaction
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pytest_django import Settings

from conversations.facts import VisitorWroteToBot
from core import log_context
from core.asgi.measured import measured, name_view
from core.asgi.named import named
from core.asgi.traced import traced
from core.events import bus
from core.monitoring import tracing
from tests.browser.product import ROOT
from tests.http_receiver import Received, receiving

WORD = "Quintessenzia"


@pytest.fixture
def collector(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Received]:
    with receiving() as received:
        endpoint = f"http://127.0.0.1:{received.port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        monkeypatch.setattr(tracing, "_tracers", {})
        monkeypatch.setattr(tracing, "_providers", {})
        settings.TRACING = True
        yield received
        for provider in tracing._providers.values():
            provider.shutdown()


def spans(received: Received) -> list[Any]:
    tracing.flush()
    found = []
    for path, body in list(received.posts):
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            found += [span for scope in resource.scope_spans for span in scope.spans]
    return found


def attributes(span: Any) -> dict[str, str]:
    return {
        each.key: each.value.string_value or str(each.value.int_value) for each in span.attributes
    }


async def post(application: Any, path: str = f"/{WORD}/") -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": WORD.encode(), "more_body": False}

    async def send(event: dict[str, Any]) -> None:
        pass

    headers = [(b"traceparent", b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01")]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    await named(measured(traced(application)))(scope, receive, send)


async def test_a_request_is_traced_by_its_view(collector: Received) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        name_view(scope, "messenger.asgi.messages")
        log_context.note(conversation=42)
        await send({"type": "http.response.start", "status": 201})

    await post(application)
    [span] = spans(collector)
    assert span.name == "POST messenger.asgi.messages"
    found = attributes(span)
    assert found.pop("causerie.request")
    assert found == {
        "http.route": "messenger.asgi.messages",
        "http.request.method": "POST",
        "http.response.status_code": "201",
        "causerie.conversation": "42",
    }
    assert span.trace_id != bytes.fromhex("1" * 32)  # anybody could claim to continue a trace


async def test_an_error_is_traced_without_its_message(collector: Received) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError(WORD)

    with pytest.raises(ValueError, match=WORD):
        await post(application)
    [span] = spans(collector)
    assert span.name == "POST none"
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert WORD.encode() not in b"".join(body for _path, body in collector.posts)


async def test_without_an_endpoint_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_tracers", {})
    with tracing.span("x") as span:
        assert span is None
        assert tracing.present() == {}
    assert tracing._tracers == {}


@pytest.mark.django_db(transaction=True)
async def test_one_trace_leads_from_the_request_to_the_worker(collector: Received) -> None:
    def write_to_bot() -> None:
        with transaction.atomic():
            bus.publish(VisitorWroteToBot(conversation_id=7))

    async def application(scope: Any, receive: Any, send: Any) -> None:
        name_view(scope, "messenger.asgi.messages")
        await sync_to_async(write_to_bot)()
        await send({"type": "http.response.start", "status": 201})

    await post(application)
    worker = await sync_to_async(start_worker)()
    try:
        deadline, found = time.monotonic() + 90, {}
        while len(found) < 3 and time.monotonic() < deadline:
            await sync_to_async(time.sleep)(0.2)
            found = {
                span.name: span
                for span in spans(collector)
                if span.name.startswith(("POST", "core.tasks.deliver", "routing.bots"))
            }
    finally:
        worker.terminate()
        await sync_to_async(worker.wait)(30)
    request = found["POST messenger.asgi.messages"]
    task = found["core.tasks.deliver"]
    reaction = found["routing.bots.runner.answer_visitor"]
    assert request.trace_id == task.trace_id == reaction.trace_id
    assert task.parent_span_id == request.span_id
    assert reaction.parent_span_id == task.span_id


def start_worker() -> subprocess.Popen[bytes]:
    """Start a worker on the database of the tests."""
    parameters = connection.get_connection_params()
    address = f"postgresql://{parameters['user']}@/{parameters['dbname']}?host={parameters['host']}"
    connection.close()
    return subprocess.Popen(
        [
            *(sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "-A", "config.celery"),
            *("worker", "-c", "1", "--without-gossip", "--without-mingle"),
        ],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": address, "REDIS_URL": django_settings.REDIS_URL},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
