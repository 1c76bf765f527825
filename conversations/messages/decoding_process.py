"""The process that decodes one uploaded file, with limits of its own, and ends.

``python -m conversations.messages.decoding_process SOURCE FOLDER`` writes a JSON object: what the
file is, or the reason why it is refused. A decoder that a hostile file has taken over or brought to
its limits is gone with its memory; the web process never sees the file's pixels.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from conversations.messages import file_types
from conversations.messages.file_refusals import Reason, Unacceptable

# The most that was measured: 590 MB of addresses for a WebP of 16 megapixels, 430 MB for a
# progressive JPEG of 64, 170 MB for a PNG of 16.
MEMORY_BYTES = 704 * 2**20
FILE_BYTES = 32 * 2**20
CPU_SECONDS = 15


def main() -> None:
    _limit()
    source, folder = map(Path, sys.argv[1:])
    sys.stdout.write(json.dumps(_answer(source, folder)))


def _answer(source: Path, folder: Path) -> dict[str, Any]:
    try:
        return asdict(file_types.recognise(source, folder))
    except Unacceptable as unacceptable:
        return {"reason": unacceptable.reason}
    except MemoryError:
        return {"reason": Reason.DAMAGED}


def _limit() -> None:
    """Limit this process. It yields to the others: a visitor's message matters more."""
    os.nice(10)
    signal.alarm(4 * CPU_SECONDS)  # also if whoever started it is gone
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        # A core dump would contain the picture.
        (resource.RLIMIT_CORE, 0),
    ):
        _soft, hard = resource.getrlimit(kind)
        # No process may raise its own hard limit.
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    main()
