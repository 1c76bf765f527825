"""Reports of errors to Sentry, or to what speaks its protocol, where ``SENTRY_DSN`` is set.

A report leaves the installation, so it is composed of what is allowed: the kind of the error, where
in the code it happened, the text of the log record without its values, and ids. The message of an
exception may repeat what somebody wrote: only the log has it, under the same id of the request.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from config.version import version
from core import log_context, request_ids

FRAME = ("filename", "function", "module", "lineno", "in_app")
KEPT = ("event_id", "timestamp", "level", "logger", "platform", "release", "environment")
FLUSH_SECONDS = 2


def start() -> None:
    """Begin to report errors, if that is wanted. It starts no thread before the first report."""
    if not settings.SENTRY_DSN:
        return
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=f"causerie@{version()}",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None),
            ExcepthookIntegration(),
            AtexitIntegration(callback=lambda pending, timeout: None),  # it would print
        ],
        before_send=compose,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        max_request_body_size="never",
        auto_session_tracking=False,
        shutdown_timeout=FLUSH_SECONDS,
    )


def compose(event: Any, hint: dict[str, Any]) -> Any:
    """Return a report with what is allowed of ``event``, and nothing else."""
    context = log_context.current()
    ids = {"request": request_ids.current(), "conversation": context.conversation}
    report = {key: event[key] for key in KEPT if key in event}
    report["tags"] = {name: value for name, value in ids.items() if value}
    if context.user is not None:
        report["user"] = {"id": str(context.user)}
    if "logentry" in event:
        # The template of the record: its values are in the log.
        report["logentry"] = {"message": str(event["logentry"].get("message", ""))}
    errors = event.get("exception", {}).get("values", [])
    report["exception"] = {"values": [_error(each) for each in errors]}
    return report


def _error(error: dict[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames", [])
    kept = [{key: frame[key] for key in FRAME if key in frame} for frame in frames]
    return {
        "type": error.get("type"),
        "module": error.get("module"),
        "stacktrace": {"frames": kept},
    }
