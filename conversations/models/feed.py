"""The change feed: what happened to conversations, in an order that readers can follow."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class FeedEntry(models.Model):
    """A line of the ledger or a message, at its place in the feed. Triggers write it.

    ``position`` grows with the transactions: see ``conversations.feed``. No foreign keys: the
    tables that it points to are busy, and an entry whose row was erased is skipped.
    """

    position = models.BigIntegerField()
    conversation_id = models.BigIntegerField()
    event_id = models.BigIntegerField(null=True)
    message_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            # conversations.feed.after
            models.Index(fields=["position", "id"], name="feed_in_order"),
            # The trigger: the last entry of a conversation.
            models.Index(fields=["conversation_id", "id"], name="feed_of_conversation"),
            # conversations.feed.purge
            models.Index(fields=["created_at"], name="feed_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.position}.{self.pk}"


class FeedPurge(models.Model):
    """The last entry that was deleted because of its age, in the only row of this table. A reader
    whose cursor is before it may have missed something."""

    position = models.BigIntegerField()
    entry = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.position}.{self.entry}"
