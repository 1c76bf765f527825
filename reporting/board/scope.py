"""What of the board one reader looks at: what he oversees, narrowed to what he has chosen."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts import supervision
from accounts.models import User, Website
from accounts.rights import websites_of
from accounts.supervision import Oversight
from conversations.models import Conversation


@dataclass(frozen=True, slots=True)
class View:
    """What of the board somebody has chosen; empty is everything. ``agent`` is part of a name,
    ``page`` that of the agents."""

    website: int | None = None
    group: int | None = None
    agent: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader oversees of ``websites``, and what he has chosen of it."""

    websites: list[Website]
    sight: Oversight
    view: View

    @classmethod
    def by(cls, user: User, view: View) -> Seen:
        websites = [one for one in websites_of(user) if view.website in {None, one.pk}]
        return cls(websites, supervision.of(user), view)

    def overseen(self, *, website: str = "website", group: str = "group") -> Q:
        """What he oversees of a table with these columns, where the websites are known."""
        ids = [one.pk for one in self.websites]
        return self.sight.within(ids, lambda some: Q(**{f"{group}__in": some}), website=website)

    def chosen(self, *, website: str = "website", group: str = "group") -> Q:
        """What he looks at of it, where the websites are known."""
        found = self.overseen(website=website, group=group)
        return found if self.view.group is None else found & Q(**{group: self.view.group})

    def rows(self, *, website: str = "website", group: str = "group") -> Q:
        """What he looks at of a table with these columns."""
        return Q(**{f"{website}__in": self.websites}) & self.chosen(website=website, group=group)

    def conversations(self) -> QuerySet[Conversation]:
        return Conversation.objects.filter(self.rows())
