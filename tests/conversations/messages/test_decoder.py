"""The decoding process: a flood of pictures costs the web process no memory, and nothing of a file
that brings its decoder down reaches anybody else."""

from __future__ import annotations

import gc
import io
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from conversations.messages import decoder, pictures
from conversations.messages.file_refusals import Reason, Unacceptable


def png(size: tuple[int, int], mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, "PNG")
    return buffer.getvalue()


def resident() -> int:
    """Return the megabytes of memory of this process."""
    gc.collect()
    return psutil.Process().memory_info().rss // 2**20


def test_memory_is_unchanged_after_flood_of_large_pictures() -> None:
    """The highest mark counts too: not even for a moment are the pixels in this process."""
    accepted, refused = png((4000, 4000)), png((7000, 7000), "L")
    gc.collect()
    decoder.prepare_bytes(png((80, 60)), "first.png")
    before = resident()
    seen: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            seen.append(psutil.Process().memory_info().rss // 2**20)

    def send(number: int) -> str:
        try:
            decoder.prepare_bytes(refused if number % 2 else accepted, "a.png")
        except Unacceptable as unacceptable:
            return unacceptable.reason
        return "accepted"

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(6) as visitors:
        answers = list(visitors.map(send, range(6)))
    over.set()
    watcher.join()
    assert answers == ["accepted", Reason.TOO_MANY_PIXELS] * 3
    assert max(seen) - before < 16
    assert resident() - before < 8


def test_temporary_files_are_deleted_after_storing(settings: Any) -> None:
    prepared = decoder.prepare_bytes(png((80, 60)), "../a.png")
    assert (prepared.content_type, prepared.name, prepared.width, prepared.height) == (
        "image/png",
        "a.png",
        80,
        60,
    )
    assert prepared.thumbnail is not None
    text = decoder.prepare_bytes(b"a;b", "list.csv")
    assert (text.content, text.content_type, text.name) == (b"a;b", "text/csv", "list.csv")
    assert list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()) == []


@pytest.mark.parametrize("reason", Reason)
def test_each_refusal_has_a_sentence(reason: Reason) -> None:
    assert re.match(r"[A-Z].*\.$", decoder.sentence(Unacceptable(reason)))


LIMITS = """
import resource, sys
from conversations.messages import decoding_process
decoding_process._limit()
exec(sys.argv[1])
"""


@pytest.mark.parametrize(
    ("deed", "ends_with"),
    [
        ("bytearray(decoding_process.MEMORY_BYTES)", "MemoryError"),
        ("open(sys.argv[2], 'wb').write(bytes(40 * 2**20))", "too large"),
        ("assert resource.getrlimit(resource.RLIMIT_CPU)[0] == 15; 1 / 0", "ZeroDivisionError"),
        ("import os; assert os.getpriority(os.PRIO_PROCESS, 0) >= 10; 1 / 0", "ZeroDivisionError"),
    ],
)
def test_decoding_process_has_limits(deed: str, ends_with: str, tmp_path: Path, root: Path) -> None:
    command = [sys.executable, "-c", LIMITS, deed, str(tmp_path / "x")]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert ended.returncode != 0
    assert ends_with in ended.stderr


def test_crashed_decoder_refuses_only_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "COMMAND", [sys.executable, "-c", "import os; os.abort()"])
    with pytest.raises(Unacceptable, match=Reason.DAMAGED):
        decoder.prepare_bytes(b"x", "x.txt")
    monkeypatch.undo()
    assert decoder.prepare_bytes(b"x", "x.txt").content == b"x"


def test_hanging_decoder_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "COMMAND", [sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(decoder, "WAIT_SECONDS", 0.3)
    with pytest.raises(Unacceptable, match=Reason.DAMAGED):
        decoder.prepare_bytes(b"x", "x.txt")


def test_decoding_process_gets_no_secret() -> None:
    assert os.environ["SECRET_KEY"]
    assert "SECRET_KEY" not in decoder.ENVIRONMENT
    assert not set(decoder.ENVIRONMENT) - {"PATH", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX"}


def test_decoding_process_loads_neither_django_nor_settings(root: Path) -> None:
    code = "import sys, conversations.messages.decoding_process; print('django' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert ended.stdout.strip() == "False"
    assert pictures.DECODED_PIXELS == 16_000_000
