"""The stored form of a look: the frames that the agent was sent, with their moments.

Pure: no Django, no clock. A part is compressed as a whole: a record for each frame, with the
milliseconds since the look began, its length, and its bytes.
"""

from __future__ import annotations

import zlib
from struct import Struct

PART_BYTES = 256 * 1024
LOOK_BYTES = 20 * 1024 * 1024
"""What is stored of one look at most; what follows is not."""
HEAD = Struct(">II")


class Recording:
    """What has not been written yet of a look that goes on."""

    def __init__(self) -> None:
        self._records: list[bytes] = []
        self._size = 0

    def add(self, frame: bytes, *, ms: int) -> bool:
        """Add a frame; return whether it is time to write. ``ms``: since the look began."""
        self._records += [HEAD.pack(ms, len(frame)), frame]
        self._size += HEAD.size + len(frame)
        return self._size >= PART_BYTES

    def part(self) -> bytes:
        """Return what was added since the last part, compressed; empty if there is nothing."""
        if not self._records:
            return b""
        records, self._records, self._size = self._records, [], 0
        return zlib.compress(b"".join(records), 6)


def unpacked(part: bytes) -> bytes:
    """Return the records of a part, as a browser reads them one after another."""
    return zlib.decompress(part)
