"""What a user oversees: the one rule that lists, figures, files and verbs are restricted by.

Administrators and auditors oversee everything. Managers and reviewers oversee the groups that they
are entered for. A user who is entered for every group of a website oversees the whole website,
including rows without a group; of other websites they oversee only what belongs to their groups.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Group, Role, User, Website
from accounts.rights import groups_of, sees_everything, within_token


@dataclass(frozen=True, slots=True)
class Supervised:
    """What one user oversees: whole ``websites``, and ``parts`` of others as groups by website."""

    everything: bool = False
    websites: frozenset[int] = frozenset()
    parts: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def is_whole(self, website_id: int) -> bool:
        return self.everything or website_id in self.websites

    def covers(self, website_id: int, group_id: int | None) -> bool:
        """Return whether the user oversees rows of this group of a website, or without a group."""
        return self.is_whole(website_id) or group_id in self.parts.get(website_id, ())

    def groups_among(self, website_ids: Collection[int]) -> frozenset[int]:
        """Return the overseen groups of those of these websites that are overseen in part."""
        parts = (self.parts.get(one, frozenset()) for one in website_ids if not self.is_whole(one))
        return frozenset[int]().union(*parts)

    def within(
        self,
        website_ids: Collection[int],
        among: Callable[[Collection[int]], Q],
        *,
        website: str = "website",
    ) -> Q:
        """Return the condition on rows of these websites; it is empty if all are overseen whole.
        ``among`` returns the condition that rows belong to some groups."""
        whole = [pk for pk in website_ids if self.is_whole(pk)]
        if len(whole) == len(website_ids):
            return Q()
        theirs = among(self.groups_among(website_ids))
        return Q(**{f"{website}__in": whole}) | theirs if whole else theirs

    def rows(self, *, website: str = "website", group: str = "group") -> Q:
        """Return the condition that selects the overseen rows of a table with these columns."""
        if self.everything:
            return Q()
        return Q(**{f"{website}__in": self.websites}) | Q(
            **{f"{group}__in": self.groups_among(self.parts)}
        )


EVERYTHING = Supervised(everything=True)


def of(user: User) -> Supervised:
    """Return what ``user`` oversees. It takes one query for a manager, none for others."""
    if sees_everything(user):
        return EVERYTHING if user.confined_to is None else Supervised(websites=user.confined_to)
    whole = Exists(whole_websites_of(user).filter(pk=OuterRef("website")))
    websites, parts = set[int](), dict[int, frozenset[int]]()
    rows = groups_of(user).annotate(is_whole=whole).order_by()
    for website_id, group_id, is_whole in rows.values_list("website", "pk", "is_whole"):
        if is_whole:
            websites.add(website_id)
        else:
            parts[website_id] = parts.get(website_id, frozenset()) | {group_id}
    return Supervised(websites=frozenset(websites), parts=parts)


def named(websites: Iterable[Website], supervised: Supervised) -> list[str]:
    """Return the names of websites, with the overseen groups of those overseen in part."""
    websites = list(websites)
    ids = supervised.groups_among([website.pk for website in websites])
    groups: dict[int, list[str]] = {}
    if ids:
        rows = Group.objects.filter(pk__in=ids).order_by("name", "pk")
        for website_id, name in rows.values_list("website", "name"):
            groups.setdefault(website_id, []).append(name)
    return [_label(website.name, groups.get(website.pk)) for website in websites]


def _label(name: str, groups: list[str] | None) -> str:
    return f"{name} ({', '.join(groups)})" if groups else name


def rows_of(user: User) -> Q:
    """Return the same condition as ``of(user).rows()``, without a query of its own."""
    if sees_everything(user):
        return Q() if user.confined_to is None else Q(website__in=user.confined_to)
    # Subqueries instead of joins: no duplicate rows, and each is evaluated once for all rows.
    groups = groups_of(user).order_by().values("pk")
    return Q(website__in=whole_websites_of(user).values("pk")) | Q(group__in=groups)


def whole_websites_of(user: User) -> QuerySet[Website]:
    """Return the websites of which ``user`` oversees every group; all for administrators and
    auditors."""
    if sees_everything(user):
        return within_token(Website.objects.all(), user, "pk")
    mine = groups_of(user).order_by()
    others = Group.objects.order_by().exclude(pk__in=mine.values("pk"))
    return (
        Website.objects.order_by()
        .filter(pk__in=mine.values("website"))
        .exclude(pk__in=others.values("website"))
    )


def overseers_of(website_id: int, group_id: int | None) -> QuerySet[User]:
    """Return the users who oversee rows of this group, or rows without a group."""
    managers = User.objects.filter(role=Role.MANAGER)
    if group_id is not None:
        managers = managers.filter(managed_groups=group_id)
    else:
        managed = Group.managers.through.objects.filter(
            group=OuterRef("pk"), user=OuterRef(OuterRef("pk"))
        )
        here = Group.objects.filter(website=website_id)
        managers = managers.filter(Exists(here.filter(Exists(managed)))).exclude(
            Exists(here.exclude(Exists(managed)))
        )
    steers = Q(role=Role.ADMIN) | Q(is_superuser=True) | Q(pk__in=managers.order_by().values("pk"))
    return User.objects.filter(steers, is_active=True)
