"""Administration of articles: administrators and managers write those of their websites."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import User, Website
from accounts.rights import OverseenWebsites, PartForOverseers, websites_of
from conversations.knowledge import articles, finding, unanswered, uses
from conversations.knowledge.grouping import Topic
from conversations.models import Article, ArticleState, Audience
from core.text import search_languages
from core.text.cleaning import line
from messenger.knowledge import pages

PK = re.compile(r"[0-9]{1,18}")


class ArticleForm(forms.ModelForm):
    class Meta:
        model = Article
        fields = ("website", "language", "name", "body", "audience", "state", "review_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = self.fields.get("language")
        if language is not None:  # not where the page only shows it
            self.fields["language"] = forms.ChoiceField(
                label=language.label,
                help_text=language.help_text,
                choices=[("", "---------"), *search_languages.choices()],
            )


class Due(admin.SimpleListFilter):
    """Articles whose day of review has come."""

    title = gettext_lazy("review")
    parameter_name = "review"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return [("due", _("Due"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Article]) -> QuerySet[Article]:
        due = Q(review_on__lte=timezone.localdate())
        return queryset.filter(due) if self.value() == "due" else queryset


def _beginning(topic: Topic) -> str:
    """Return what the form of a new article is filled with."""
    title = topic.title
    return urlencode(
        {
            "website": str(title.website_id),
            "language": title.language,
            "name": line(title.text, 120),
        }
    )


@admin.register(Article)
class ArticleAdmin(PartForOverseers, admin.ModelAdmin):
    form = ArticleForm
    change_list_template = "admin/conversations/article/change_list.html"
    change_form_template = "admin/conversations/article/change_form.html"
    list_display = (
        "name",
        "website",
        "tongue",
        "audience",
        "state",
        "review",
        "reads",
        "answers",
        "page",
    )
    list_filter = (("website", OverseenWebsites), "audience", "state", Due)
    list_select_related = ("website",)
    search_fields = ("text",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Article]:
        overseen = articles.changeable_by(cast(User, request.user))
        rows = super().get_queryset(request).filter(pk__in=overseen.values("pk"))
        return uses.with_uses(rows, at=timezone.now())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Article], search_term: str
    ) -> tuple[QuerySet[Article], bool]:
        return finding.search(queryset, search_term), False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "website":
            kwargs["queryset"] = websites_of(request.user).order_by("name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Article, form: Any, change: bool) -> None:
        articles.save(obj, at=timezone.now())

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(require_POST(self.preview))
        asked = self.admin_site.admin_view(self.unanswered)
        own = [
            path("preview/", preview, name="article_preview"),
            path("unanswered/", asked, name="article_unanswered"),
        ]
        return [*own, *super().get_urls()]

    def unanswered(self, request: HttpRequest) -> HttpResponse:
        """List what no article answered, by topic; remove a topic (B24)."""
        user = cast(User, request.user)
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            ids = [int(pk) for pk in request.POST.getlist("question") if PK.fullmatch(pk)]
            unanswered.dismiss(user, ids)
            return redirect("admin:article_unanswered")
        names = dict(Website.objects.values_list("pk", "name"))
        add = reverse("admin:conversations_article_add")
        topics = [
            (topic, names[topic.title.website_id], f"{add}?{_beginning(topic)}")
            for topic in unanswered.topics_of(user)
        ]
        context = self.admin_site.each_context(request)
        context |= {"title": _("Unanswered questions"), "topics": topics}
        return TemplateResponse(request, "admin/conversations/article/unanswered.html", context)

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Render what is in the form as its page, without saving it."""
        form = self.get_form(request)(request.POST)
        form.is_valid()
        if form.instance.website_id is None:
            context = self.admin_site.each_context(request) | {"title": _("Preview")}
            return TemplateResponse(
                request, "admin/conversations/article/no_preview.html", context, status=422
            )
        return pages.render_article(request, form.instance, is_preview=True)

    @admin.display(description=gettext_lazy("language"), ordering="language")
    def tongue(self, article: Article) -> str:
        return str(get_language_info(article.language)["name_translated"]).capitalize()

    @admin.display(description=gettext_lazy("review on"), ordering="review_on")
    def review(self, article: Article) -> Any:
        if article.review_on is None or article.review_on > timezone.localdate():
            return article.review_on
        return _("due")

    @admin.display(description=gettext_lazy("read (30 days)"), ordering="reads")
    def reads(self, article: Article) -> int:
        """Count how often visitors opened it in the Messenger."""
        return int(getattr(article, "reads", 0))

    @admin.display(description=gettext_lazy("answered (30 days)"), ordering="answers")
    def answers(self, article: Article) -> int:
        """Count how often a visitor said that it answered their question (deflection)."""
        return int(getattr(article, "answers", 0))

    @admin.display(description=gettext_lazy("page"))
    def page(self, article: Article) -> str:
        if article.state != ArticleState.PUBLISHED or article.audience != Audience.PUBLIC:
            return "–"
        return format_html('<a href="{}">{}</a>', pages.address_of(article), _("Open"))
