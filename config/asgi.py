"""The ASGI application under daphne, which needs our changes before it serves."""

from __future__ import annotations

import os

from config.web_servers import daphne_patches

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
daphne_patches.apply()

from config.application import application  # noqa: E402

__all__ = ["application"]
