"""The pages of higher rooms that this room links to."""

from __future__ import annotations

from core.page_links import PageLink

BOARD = PageLink("the board")
BUILDER = PageLink("the builder of a website's Messenger")
SCENARIO = PageLink("the editor of a bot's scenario")
PROGRAM_FIGURES = PageLink("the figures of a bot's program")
