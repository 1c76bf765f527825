"""What one reader sees of the board: what they oversee, narrowed to what they have chosen."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts import supervision
from accounts.models import User, Website
from accounts.rights import websites_of
from accounts.supervision import Supervised
from conversations.models import Conversation


@dataclass(frozen=True, slots=True)
class View:
    """The reader's choice of filters; empty means everything. ``agent`` is part of a name, ``page``
    is the page of the agents' list."""

    website: int | None = None
    group: int | None = None
    agent: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader oversees of ``websites``, and what they have chosen of it."""

    websites: list[Website]
    supervised: Supervised
    view: View

    @classmethod
    def by(cls, user: User, view: View) -> Seen:
        websites = [one for one in websites_of(user) if view.website in {None, one.pk}]
        return cls(websites, supervision.of(user), view)

    def overseen(self, *, website: str = "website", group: str = "group") -> Q:
        """Match what the reader oversees in a table with these columns. The caller restricts the
        websites."""
        ids = [one.pk for one in self.websites]
        return self.supervised.within(
            ids, lambda some: Q(**{f"{group}__in": some}), website=website
        )

    def chosen(self, *, website: str = "website", group: str = "group") -> Q:
        """Match what the reader has chosen of it. The caller restricts the websites."""
        overseen = self.overseen(website=website, group=group)
        return overseen if self.view.group is None else overseen & Q(**{group: self.view.group})

    def rows(self, *, website: str = "website", group: str = "group") -> Q:
        """Match what the reader has chosen in a table with these columns."""
        return Q(**{f"{website}__in": self.websites}) & self.chosen(website=website, group=group)

    def conversations(self) -> QuerySet[Conversation]:
        return Conversation.objects.filter(self.rows())
