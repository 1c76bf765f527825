"""The virus scanner, a real clamd with a signature of its own, and servers that are none."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from conversations.messages import decoder
from conversations.messages.file_refusals import Reason, Unacceptable
from core import clamav

# The test file of the antivirus makers, in two parts, so that no scanner takes this file for it.
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start clamd; return its address."""
    program = shutil.which("clamd")
    if program is None:
        pytest.skip("clamd is not installed: apt install clamav-daemon")
    folder = tmp_path_factory.mktemp("clamd")
    (folder / "own.ndb").write_text(f"Own.Test:0:*:{EICAR.encode().hex()}\n")
    path = folder / "socket"
    (folder / "clamd.conf").write_text(
        f"LocalSocket {path}\nDatabaseDirectory {folder}\nForeground yes\nTemporaryDirectory"
        f" {folder}\nStreamMaxLength 2M\n"
    )
    server = subprocess.Popen(
        [program, "--config-file", folder / "clamd.conf"], stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 60
        while not path.exists() and time.monotonic() < until:
            assert server.poll() is None
            time.sleep(0.1)
        yield f"unix://{path}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def refusal_of(content: str) -> Reason:
    with pytest.raises(Unacceptable) as refused:
        decoder.prepare_bytes(content.encode(), "a.txt")
    return refused.value.reason


def test_clean_file_is_accepted(clamd: str, settings: Settings, source: Path) -> None:
    settings.CLAMAV = clamd
    source.write_bytes(b"harmless" * 30_000)
    assert clamav.scan(source) == ""
    assert decoder.prepare_bytes(b"harmless", "a.txt").content == b"harmless"


def test_malware_is_refused_by_name(clamd: str, settings: Settings, source: Path) -> None:
    settings.CLAMAV = clamd
    source.write_text(EICAR)
    assert clamav.scan(source) == "Own.Test.UNOFFICIAL"
    assert refusal_of(EICAR) == Reason.INFECTED


def test_file_that_it_does_not_scan_is_refused(clamd: str, settings: Settings) -> None:
    settings.CLAMAV = clamd
    assert refusal_of("x" * 3 * 2**20) == Reason.UNCHECKED  # over its StreamMaxLength


def test_without_a_scanner_nothing_is_asked(settings: Settings) -> None:
    settings.CLAMAV = ""
    assert decoder.prepare_bytes(EICAR.encode(), "a.txt").content == EICAR.encode()


@pytest.mark.parametrize("address", ["unix:///nowhere/socket", "tcp://127.0.0.1:1"])
def test_unreachable_scanner_refuses_files(address: str, settings: Settings) -> None:
    settings.CLAMAV = address
    assert refusal_of("harmless") == Reason.UNCHECKED


@pytest.mark.parametrize(
    "answer",
    [b"", b"stream: \0", b"UNKNOWN COMMAND\0", b"stream: FOUND\0", b"x" * 10_000, b"stream: ok\0"],
)
def test_answer_without_a_verdict_refuses_files(answer: bytes, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        settings.CLAMAV = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert refusal_of("harmless") == Reason.UNCHECKED
        thread.join(10)


def test_silent_scanner_does_not_hold_an_upload(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clamav, "SCAN_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.CLAMAV = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert refusal_of("harmless") == Reason.UNCHECKED
