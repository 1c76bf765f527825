"""A TCP proxy in front of the product that can cut connections: open ones are reset, new ones
refused."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST, as a broken connection may look


class Connection:
    """Forwards ``url`` to a port of this machine until it is stopped."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.is_cut = False
        self.flows = threading.Event()
        """While it is not set, nothing passes, and neither side is told."""
        self.flows.set()
        self.delay = 0.0
        """Seconds for which each piece is held back."""
        self.broken = 0
        self.ends: set[socket.socket] = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Reset open connections and refuse new ones, until ``heal``."""
        self.is_cut = True
        with self.lock:
            ends, self.ends = self.ends, set()
        self.broken += len(ends)
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RD)  # wakes the thread that reads it
            end.close()

    def heal(self) -> None:
        self.is_cut = False

    def stop(self) -> None:
        self.listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return  # stopped
            with suppress(OSError):
                self._join(near)

    def _join(self, near: socket.socket) -> None:
        if self.is_cut:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            near.close()
            return
        try:
            far = socket.create_connection(("127.0.0.1", self.port))
        except OSError:
            near.close()
            raise
        with self.lock:
            self.ends |= {near, far}
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _copy(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self.flows.wait()
                time.sleep(self.delay)
                other.sendall(data)
        with self.lock:
            self.ends -= {one, other}
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
