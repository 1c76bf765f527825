"""Canned replies and articles."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts import rights
from accounts.constraints import check
from conversations.canned import library
from conversations.knowledge import articles
from conversations.models import Article, CannedReply
from core.text import search_languages
from desk import queries
from desk.api.settings.fields import Keyed
from desk.api.settings.shape import (
    SettingSerializer,
    SettingViewSet,
    WebsiteFilterSerializer,
    described,
)
from desk.canned_forms import CannedReplyForm, key_of


class ReplySerializer(SettingSerializer):
    """A text that is written once and used often. It may contain variables, such as
    `{visitor_name}`."""

    id = serializers.IntegerField(source="pk", read_only=True)
    owner = serializers.CharField(
        help_text="Who can use it: `own`, `group-7` or `website-2`, by number."
    )
    files = serializers.SlugRelatedField[Any](
        slug_field="name",
        many=True,
        read_only=True,
        help_text="Names. Files are added on the page.",
    )

    class Meta:
        model = CannedReply
        fields = ("id", "owner", "name", "shortcut", "folder", "language", "body", "files")

    def to_representation(self, row: CannedReply) -> dict[str, Any]:
        row.owner = key_of(row)  # type: ignore[attr-defined]
        return super().to_representation(row)


class ReplyFilterSerializer(serializers.Serializer[Any]):
    folder = serializers.CharField(required=False, max_length=60)
    language = serializers.CharField(required=False, max_length=10)


@described(
    "a canned reply",
    "the canned replies that you may use",
    who="Yours, and those of the groups and websites that you oversee.",
)
class ReplyViewSet(SettingViewSet):
    noun = "replies"
    model = CannedReply
    serializer_class = ReplySerializer
    filters = ReplyFilterSerializer
    columns = {"folder": "folder", "language": "language"}

    def rows(self) -> QuerySet[CannedReply]:
        agent = queries.agent_of(self.user)
        rows = library.readable_by(self.user, agent)
        if self.user.confined_to is not None:
            within = self.user.confined_to
            rows = rows.filter(
                Q(website__in=within) | Q(group__website__in=within) | Q(agent__isnull=False)
            )
        return rows.prefetch_related("files")

    def may_add(self) -> bool:
        return True  # The form offers only owners that the user may choose.

    def may_change(self, row: CannedReply) -> bool:
        agent = queries.agent_of(self.user)
        return library.changeable_by(self.user, agent).filter(pk=row.pk).exists()

    def write(self, row: CannedReply, values: dict[str, Any]) -> None:
        """Save what the form of the page accepts."""
        names = ("name", "shortcut", "folder", "language", "body")
        before = {name: getattr(row, name) for name in names}
        if row.pk:
            before["owner"] = key_of(row)
        agent = queries.agent_of(self.user)
        form = CannedReplyForm(before | values, {}, instance=row, user=self.user, agent=agent)
        if not form.is_valid():
            raise ValidationError(
                {name: [str(one) for one in faults] for name, faults in form.errors.items()}
            )
        library.save(form.save(commit=False))

    def remove(self, row: CannedReply) -> None:
        library.remove(row)


class ArticleSerializer(SettingSerializer):
    """An article in one language. `body` is Markdown."""

    id = serializers.IntegerField(source="pk", read_only=True)
    website = Keyed()
    language = serializers.ChoiceField(choices=search_languages.choices())

    editable_once = ()

    class Meta:
        model = Article
        fields = (
            *("id", "website", "language", "name", "body", "audience", "state"),
            *("review_on", "changed_at"),
        )
        read_only_fields = ("changed_at",)


class ArticleFilterSerializer(WebsiteFilterSerializer):
    language = serializers.CharField(required=False, max_length=10)
    audience = serializers.ChoiceField(choices=["public", "agents"], required=False)
    state = serializers.ChoiceField(choices=["draft", "published"], required=False)


@described(
    "an article",
    "the articles that you may read; drafts only of the websites that you oversee",
    who="Supervisors of the website.",
)
class ArticleViewSet(SettingViewSet):
    noun = "articles"
    model = Article
    serializer_class = ArticleSerializer
    filters = ArticleFilterSerializer
    columns = {
        "website": "website__key",
        "language": "language",
        "audience": "audience",
        "state": "state",
    }

    def rows(self) -> QuerySet[Article]:
        readable = articles.readable_by(self.user).order_by().values("pk")
        own = articles.changeable_by(self.user).order_by().values("pk")
        rows = Article.objects.filter(Q(pk__in=readable) | Q(pk__in=own))
        return rights.within_token(rows, self.user).select_related("website")

    def may_add(self) -> bool:
        return rights.steers(self.user)

    def may_change(self, row: Article) -> bool:
        mine = articles.changeable_by(self.user)
        return rights.steers(self.user) and mine.filter(pk=row.pk).exists()

    def write(self, row: Article, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(row, name, value)
        check(row, exclude={"text", "stems", "changed_at"})
        articles.save(row, at=timezone.now())
