"""The pages of higher rooms that this room links to."""

from __future__ import annotations

from core.page_links import PageLink

LOOK = PageLink("the replay of a look")
ARTICLE = PageLink("the public page of an article")
ARTICLE_AT_DESK = PageLink("an article at the desk")
CONVERSATION = PageLink("a conversation at the desk")
QUEUES = PageLink("the board, which shows the queues")
DELIVERIES = PageLink("the deliveries of webhooks in the administration")
