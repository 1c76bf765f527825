"""daphne, the default: pure Python on Twisted."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from config.web_servers import PING_SECONDS, PONG_SECONDS
from config.web_servers.daphne_draining import event_loop

# Its modules, except those that make the event loop: no two processes may share one.
LOADED = (
    *("autobahn.twisted.websocket", "twisted.internet.asyncioreactor"),
    *("twisted.internet.endpoints", "twisted.web.http"),
)


def serve(listener: int, show_life: Callable[[], None], seconds: float) -> None:
    """Serve what connects to the socket ``listener`` until it has drained; call ``show_life`` from
    the event loop every ``seconds``, first when it listens."""
    # Imported here: daphne makes its event loop when it is imported.
    from daphne.cli import CommandLineInterface
    from twisted.internet.task import LoopingCall

    event_loop().callWhenRunning(LoopingCall(show_life).start, seconds)
    arguments = ["--fd", str(listener), "-v", "0", "--no-server-name"]
    arguments += ["--ping-interval", str(PING_SECONDS), "--ping-timeout", str(PONG_SECONDS)]
    if settings.BEHIND_PROXY:
        arguments.append("--proxy-headers")
    CommandLineInterface().run([*arguments, "config.asgi:application"])
