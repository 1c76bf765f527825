"""On a full disk nothing is half-written, and whoever sent a file is told so."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from core.storage import WholeFiles, is_full


def fill_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each file be cut after its first bytes, as by a disk that has become full."""

    def cut(self: Any, name: str, content: Any) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read(3))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", cut)


def test_a_file_is_stored_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = WholeFiles(location=tmp_path)
    with storage.open(storage.save("a/one", ContentFile(b"whole"))) as stored:
        assert stored.read() == b"whole"
    with monkeypatch.context() as patch:
        fill_up(patch)
        with pytest.raises(OSError, match="No space left"):
            storage.save("a/two", ContentFile(b"whole"))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["one"]


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError(errno.EACCES, "x"), False),
        (ValueError("x"), False),
        (None, False),
    ],
)
def test_only_a_full_disk_counts_as_full(error: BaseException | None, is_one: bool) -> None:
    assert is_full(error) == is_one
