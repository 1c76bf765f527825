"""Files in a bucket of any server that speaks S3, instead of this machine's disk.

Nobody but the product reads them: views check the permission and pass the bytes on, and there are
no addresses that would show a file to whoever knows them.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, NoReturn

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from core.storage import StorageAway

# What servers answer when a bucket, a quota or a disk is full.
FULL = frozenset(
    {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage"}
)
CONNECT_SECONDS, ANSWER_SECONDS, TRIES = 2, 5, 2
IN_MEMORY = 1 << 20


class Bucket(S3Storage):
    """The storage of ``STORAGE_URL``. Whatever goes wrong is an ``OSError``, as on a disk."""

    def __init__(self, **options: Any) -> None:
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
            signature_version="s3v4",
            # Servers on one's own premises rarely have a DNS name for each bucket.
            s3={"addressing_style": "path"},
            # Not every server knows the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        # Our names are random: nobody else's file is overwritten.
        options = {"file_overwrite": True, "default_acl": None, **options}
        super().__init__(client_config=config, max_memory_size=IN_MEMORY, **options)

    def _open(self, name: str, mode: str = "rb") -> Any:
        """Return the whole file, fetched: an error comes now, not in the midst of an answer."""
        with _as_os_error():
            file = super()._open(name, mode)
            if mode == "rb":
                file.file  # noqa: B018 - fetches it
            return file

    def _save(self, name: str, content: File) -> str:
        with _as_os_error():
            stored: str = super()._save(name, content)
            return stored

    def exists(self, name: str) -> bool:
        with _as_os_error():
            return bool(super().exists(name))

    def delete(self, name: str) -> None:
        with _as_os_error():
            super().delete(name)

    def size(self, name: str) -> int:
        with _as_os_error():
            return int(super().size(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with _as_os_error():
            folders, files = super().listdir(name)
            return folders, files

    def url(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """There are no addresses of files: a view checks who may see one."""
        raise NotImplementedError("files are served by views that check the permission")


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Raise what a disk would raise: ``FileNotFoundError``, "no space left", or ``StorageAway``."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", "")
        # A missing bucket is a wrong setting, and must not look like a deleted file.
        if status == HTTPStatus.NOT_FOUND and code != "NoSuchBucket":
            raise FileNotFoundError(str(error)) from error
        if status == HTTPStatus.INSUFFICIENT_STORAGE or code in FULL:
            raise OSError(errno.ENOSPC, str(error)) from error
        raise StorageAway(str(error)) from error
    except BotoCoreError as error:
        raise StorageAway(str(error)) from error
