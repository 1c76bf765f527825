"""Command that sends webhooks until it is stopped."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand

from conversations.webhooks.sender import Sender


class Command(BaseCommand):
    help = "Send what happens to the receivers of webhooks. Several may run, on any machines."

    def handle(self, *args: Any, **options: Any) -> None:
        sender = Sender()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: sender.stop())
        sender.run()
