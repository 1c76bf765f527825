"""The settings of what the installation says of itself: metrics and logs."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

from config import logs
from config.environment import refuse, text

LEVELS = {"DEBUG", "INFO", "WARNING", "ERROR"}


def read() -> dict[str, Any]:
    """Return these settings, read from the environment."""
    # Without a token, the page exists only on the local machine.
    token = text("METRICS_TOKEN")
    if token and len(token) < 20:
        refuse("METRICS_TOKEN is too easy to guess: take 20 random characters or more")
    level = text("LOG_LEVEL", "INFO").upper()
    if level not in LEVELS:
        refuse(f"LOG_LEVEL is DEBUG, INFO, WARNING or ERROR, not {level!r}")
    form = text("LOG_FORMAT", "line").lower()
    if form not in logs.FORMATS:
        refuse(f"LOG_FORMAT is line or json, not {form!r}")
    dsn = text("SENTRY_DSN")
    if dsn and not re.fullmatch(r"https?://[^@/\s]+@[^\s]+/\d+", dsn):
        refuse("SENTRY_DSN is https://key@host/number, as the provider shows it")
    endpoint = text("OTEL_EXPORTER_OTLP_ENDPOINT")
    for name, value, module, extra in (
        ("SENTRY_DSN", dsn, "sentry_sdk", "sentry"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, "opentelemetry", "tracing"),
    ):
        if value and find_spec(module) is None:
            refuse(f"{name} needs the packages of the extra {extra}: docs/monitoring.md")
    return {
        "SENTRY_DSN": dsn,
        "TRACING": bool(endpoint),
        "METRICS_TOKEN": token,
        "LOG_LEVEL": level,
        "LOGGING": logs.configuration(level, form),
    }
