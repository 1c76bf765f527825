"""Log records as one line each, so that whatever collects them never has to glue."""

from __future__ import annotations

import logging


class OneLine(logging.Formatter):
    """Time, level, logger, text; a traceback follows on the same line, its breaks written as \\n."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")
