"""The virus scanner clamd, where there is one: it is sent each uploaded file (INSTREAM)."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

from django.conf import settings

CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 3
SCAN_SECONDS = 30


class Unavailable(Exception):
    """The scanner did not answer, or not with a verdict."""


def is_configured() -> bool:
    return bool(settings.CLAMAV)


def scan(source: Path) -> str:
    """Return the name of the malware that the scanner found in the file, "" if it found none.

    It blocks. Raise ``Unavailable`` if there is no verdict.
    """
    try:
        with _connection() as connection, source.open("rb") as opened:
            # "z" means that command and answer end with NUL. Each chunk follows its length, and a
            # length of 0 ends the stream.
            connection.sendall(b"zINSTREAM\0")
            while chunk := opened.read(CHUNK_BYTES):
                connection.sendall(struct.pack("!I", len(chunk)) + chunk)
            connection.sendall(struct.pack("!I", 0))
            answer = _answer(connection)
    except OSError as error:
        raise Unavailable(str(error)) from error
    if answer == "stream: OK":
        return ""
    name, _space, verdict = answer.removeprefix("stream: ").rpartition(" ")
    if verdict == "FOUND" and name:
        return name
    raise Unavailable(answer or "no answer")


def _connection() -> socket.socket:
    scheme, _colon, where = settings.CLAMAV.partition("://")
    if scheme == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(CONNECT_SECONDS)
        try:
            connection.connect(where)
        except OSError:
            connection.close()
            raise
    else:
        host, _colon, port = where.rpartition(":")
        connection = socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS)
    connection.settimeout(SCAN_SECONDS)
    return connection


def _answer(connection: socket.socket) -> str:
    """Return the answer, which ends with a NUL; it is short."""
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < 4096:
        received = connection.recv(4096)
        if not received:
            break
        answer += received
    return answer.rstrip(b"\0").decode("utf-8", "replace").strip()
