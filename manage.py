#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

from config.version import version
from core.realtime import event_loop

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:] in (["version"], ["--version"]):
        print(version())  # noqa: T201  # Django would print its own
    else:
        event_loop.start()
        execute_from_command_line(sys.argv)
