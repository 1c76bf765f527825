"""The decoding of uploaded files, in a process of its own for each (``decoding_process``).

One file at a time is decoded for each web process: a flood of pictures waits in line on disk and
takes neither memory nor more than one core. The decoding process gets no secret of ours.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from conversations.messages import file_types
from conversations.messages.file_refusals import Reason, Unacceptable
from conversations.messages.file_types import Prepared, Recognised
from core import clamav, temporary_files

logger = logging.getLogger(__name__)

WAIT_SECONDS = 60
# -E and -s: neither variables of Python nor packages of the user change what is run.
COMMAND = [sys.executable, "-E", "-s", "-m", "conversations.messages.decoding_process"]
# Malloc gives memory back more readily with a single arena.
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"} | {
    name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ
}
SENTENCES = {
    Reason.EMPTY: _("This file is empty."),
    Reason.TOO_MANY_PIXELS: _("This picture has too many pixels. Send a smaller one."),
    Reason.DAMAGED_PICTURE: _("This picture is damaged."),
    Reason.DAMAGED: _("This file is damaged."),
    Reason.MACROS: _("Documents with macros are not accepted."),
    Reason.NOT_ACCEPTED: _(
        "This file type is not accepted. Send a picture, PDF, office document or text file."
    ),
    Reason.INFECTED: _("The virus scanner has found malware in this file."),
    Reason.UNCHECKED: _("Files cannot be checked for viruses at the moment. Try again later."),
}

_place = threading.Semaphore(1)


def sentence(unacceptable: Unacceptable) -> str:
    """Say why a file is refused, to the person who chose it, in their language."""
    return str(SENTENCES[unacceptable.reason])


def prepare(source: Path, name: str) -> Prepared:
    """Recognise the file ``source`` and return what to store; raise ``Unacceptable`` if it is
    refused. It blocks, first until it is its turn."""
    with _place, temporary_files.folder() as folder:
        _scan(source)
        recognised = _recognised(source, folder)
        return file_types.prepare(recognised, source, folder, name)


def prepare_bytes(content: bytes, name: str) -> Prepared:
    """Do the same for a file in memory."""
    with temporary_files.folder() as folder:
        source = folder / "source"
        source.write_bytes(content)
        return prepare(source, name)


def _scan(source: Path) -> None:
    """Have the virus scanner look at the file, if there is one. What it cannot check is refused."""
    if not clamav.is_configured():
        return
    try:
        malware = clamav.scan(source)
    except clamav.Unavailable as error:
        logger.error("the virus scanner does not answer, so files are refused: %s", error)
        raise Unacceptable(Reason.UNCHECKED) from None
    if malware:
        logger.warning("the virus scanner refused a file: %s", malware)
        raise Unacceptable(Reason.INFECTED)


def _recognised(source: Path, folder: Path) -> Recognised:
    try:
        ended = subprocess.run(
            [*COMMAND, str(source), str(folder)],
            cwd=settings.BASE_DIR,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WAIT_SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failed:
        # At its limits of memory or time, or a decoder that a damaged file has crashed.
        logger.warning("a file could not be decoded: %s", " ".join(str(failed).split()))
        raise Unacceptable(Reason.DAMAGED) from None
    answer = json.loads(ended.stdout)
    if "reason" in answer:
        raise Unacceptable(Reason(answer["reason"]))
    return Recognised(**answer)
