"""OpenTelemetry traces: of requests, the reactions that they owe, and the tasks that run these.

They are made where ``OTEL_EXPORTER_OTLP_ENDPOINT`` is set, with the packages of the extra
``tracing``; otherwise nothing here costs more than a comparison. A trace has names of the code and
ids, and nothing that people wrote.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

TRACEPARENT = "traceparent"
"""The header of https://www.w3.org/TR/trace-context/, which tasks carry."""

_tracers: dict[int, Any] = {}
_providers: dict[int, Any] = {}


@contextmanager
def span(
    name: str, attributes: dict[str, str | int] | None = None, *, parent: str = ""
) -> Iterator[Any]:
    """Trace the block under ``name``, below ``parent`` (a ``traceparent``) or the present span.
    Yield the span, ``None`` if there is no tracing."""
    if not settings.TRACING:
        yield None
        return
    from opentelemetry.trace import StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    above = TraceContextTextMapPropagator().extract({TRACEPARENT: parent}) if parent else None
    # The library would add the message of an exception, which may repeat what somebody wrote.
    silent = {"record_exception": False, "set_status_on_exception": False}
    with _tracer().start_as_current_span(
        name, context=above, attributes=attributes, **silent
    ) as begun:
        try:
            yield begun
        except BaseException:
            begun.set_status(StatusCode.ERROR)
            raise


def present() -> dict[str, str]:
    """Return the header that makes another process continue this trace; empty without one."""
    headers: dict[str, str] = {}
    if settings.TRACING:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(headers)
    return headers


def flush() -> None:
    """Send what has not been sent yet: before a process ends."""
    for provider in _providers.values():
        provider.force_flush()


def _tracer() -> Any:
    """Return this process's tracer. It has a thread, so it is made after the fork."""
    pid = os.getpid()
    if pid not in _tracers:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are read as well.
        provider = TracerProvider(resource=Resource.create({"service.name": "causerie"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        _providers[pid], _tracers[pid] = provider, provider.get_tracer("causerie")
    return _tracers[pid]
