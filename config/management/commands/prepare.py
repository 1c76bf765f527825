"""The command for what must happen before the processes of a new version start. Safe to run
again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, call_command

from config.translations import compile_all


class Command(BaseCommand):
    help = "Compile translations, migrate and collect static files; load the demo if DEMO is on."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in settings.LOCALE_PATHS:
            compile_all(folder)
        call_command("migrate", interactive=False, verbosity=0)
        if settings.STATIC_ROOT:
            call_command("collectstatic", interactive=False, verbosity=0)
        if settings.DEMO:
            call_command("demo", verbosity=0)
