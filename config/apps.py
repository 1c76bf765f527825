"""The config app: it connects the reactions once every app is loaded."""

from __future__ import annotations

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import celery, error_reports, wiring  # noqa: F401 - shared tasks find their app by its import

        wiring.connect()
        error_reports.start()
