"""What somebody oversees: the one answer from which lists, figures, files and verbs are cut.

Administrators oversee everything, a manager the groups that he manages. Who manages every group of
a website oversees it whole, with what belongs to no group; of any other, he oversees what belongs
to his groups.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Group, Role, User, Website
from accounts.rights import administers, groups_of


@dataclass(frozen=True, slots=True)
class Oversight:
    """``websites`` are overseen whole; ``parts`` are the groups that are overseen of others, by
    website."""

    everything: bool = False
    websites: frozenset[int] = frozenset()
    parts: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def is_whole(self, website_id: int) -> bool:
        return self.everything or website_id in self.websites

    def covers(self, website_id: int, group_id: int | None) -> bool:
        """Whether what belongs to this group of a website, or to none, is overseen."""
        return self.is_whole(website_id) or group_id in self.parts.get(website_id, ())

    def groups_among(self, website_ids: Collection[int]) -> frozenset[int]:
        """The groups that are overseen of those of these websites that are seen in part."""
        found = (self.parts.get(one, frozenset()) for one in website_ids if not self.is_whole(one))
        return frozenset[int]().union(*found)

    def within(
        self,
        website_ids: Collection[int],
        among: Callable[[Collection[int]], Q],
        *,
        website: str = "website",
    ) -> Q:
        """The same of rows that are known to be of these websites: no condition where they are seen
        whole. ``among`` says which rows belong to some groups."""
        whole = [pk for pk in website_ids if self.is_whole(pk)]
        if len(whole) == len(website_ids):
            return Q()
        theirs = among(self.groups_among(website_ids))
        return Q(**{f"{website}__in": whole}) | theirs if whole else theirs

    def rows(self, *, website: str = "website", group: str = "group") -> Q:
        """The rows that are overseen of a table with these columns."""
        if self.everything:
            return Q()
        return Q(**{f"{website}__in": self.websites}) | Q(
            **{f"{group}__in": self.groups_among(self.parts)}
        )


EVERYTHING = Oversight(everything=True)


def of(user: User) -> Oversight:
    """What ``user`` oversees now; one statement for a manager, none for anybody else."""
    if administers(user):
        return EVERYTHING
    whole = Exists(whole_websites_of(user).filter(pk=OuterRef("website")))
    websites, parts = set[int](), dict[int, frozenset[int]]()
    rows = groups_of(user).annotate(is_whole=whole).order_by()
    for website_id, group_id, is_whole in rows.values_list("website", "pk", "is_whole"):
        if is_whole:
            websites.add(website_id)
        else:
            parts[website_id] = parts.get(website_id, frozenset()) | {group_id}
    return Oversight(websites=frozenset(websites), parts=parts)


def named(websites: Iterable[Website], sight: Oversight) -> list[str]:
    """The names of websites, of those seen in part with the groups that are seen."""
    websites = list(websites)
    ids = sight.groups_among([website.pk for website in websites])
    groups: dict[int, list[str]] = {}
    if ids:
        rows = Group.objects.filter(pk__in=ids).order_by("name", "pk")
        for website_id, name in rows.values_list("website", "name"):
            groups.setdefault(website_id, []).append(name)
    return [_told(website.name, groups.get(website.pk)) for website in websites]


def _told(name: str, groups: list[str] | None) -> str:
    return f"{name} ({', '.join(groups)})" if groups else name


def rows_of(user: User) -> Q:
    """The same as ``of(user).rows()``, as part of one statement."""
    if administers(user):
        return Q()
    # Subqueries, not joins: no row comes twice, and each is answered once for all rows.
    groups = groups_of(user).order_by().values("pk")
    return Q(website__in=whole_websites_of(user).values("pk")) | Q(group__in=groups)


def whole_websites_of(user: User) -> QuerySet[Website]:
    """The websites of which ``user`` manages every group; an administrator's are all of them."""
    if administers(user):
        return Website.objects.all()
    mine = groups_of(user).order_by()
    others = Group.objects.order_by().exclude(pk__in=mine.values("pk"))
    return (
        Website.objects.order_by()
        .filter(pk__in=mine.values("website"))
        .exclude(pk__in=others.values("website"))
    )


def overseers_of(website_id: int, group_id: int | None) -> QuerySet[User]:
    """The rule from the other side: who oversees what belongs to a group, or to none."""
    managers = User.objects.filter(role=Role.MANAGER)
    if group_id is not None:
        managers = managers.filter(managed_groups=group_id)
    else:
        his = Group.managers.through.objects.filter(
            group=OuterRef("pk"), user=OuterRef(OuterRef("pk"))
        )
        here = Group.objects.filter(website=website_id)
        managers = managers.filter(Exists(here.filter(Exists(his)))).exclude(
            Exists(here.exclude(Exists(his)))
        )
    steers = Q(role=Role.ADMIN) | Q(is_superuser=True) | Q(pk__in=managers.order_by().values("pk"))
    return User.objects.filter(steers, is_active=True)
