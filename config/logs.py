"""Log records of one line each, so that a log collector never has to join lines."""

from __future__ import annotations

import logging
import os


class OneLine(logging.Formatter):
    r"""Process, time, level, logger, text; line breaks of a traceback are written as \n."""

    def __init__(self) -> None:
        process = os.environ.get("PROCESS_NAME", "-").replace("%", "")
        super().__init__(f"{process:<7} %(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")
