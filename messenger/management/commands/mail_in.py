"""Command that receives replies by e-mail from a mail server, over LMTP, until it is stopped."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from messenger.mail import lmtp


class Command(BaseCommand):
    help = "Listen at MAIL_IN (host:port) for replies delivered by a mail server (LMTP)."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MAIL_IN is None:
            raise CommandError("MAIL_IN is not set. Set it to the host:port to listen at.")
        asyncio.run(self._serve(*settings.MAIL_IN))

    async def _serve(self, host: str, port: int) -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        server = await lmtp.listen(host, port)
        self.stderr.write(f"causerie: replies by e-mail are taken at {host}:{port} (LMTP)")
        await stop.wait()
        server.close()
