"""Articles: what a website knows, for its visitors and its agents."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts.models import Website
from conversations.models.conversations import Conversation
from core.text.search_expressions import Words
from core.text.text_search import fold


class Audience(models.TextChoices):
    PUBLIC = "public", _("Visitors and agents")
    AGENTS = "agents", _("Agents only")


class ArticleState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")


class Article(models.Model):
    """An article in one language. ``text`` and ``stems`` are what it is found by; only
    ``conversations.knowledge.articles`` writes them."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, verbose_name=_("website"), related_name="articles"
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        help_text=_("Visitors and agents find it when they write in this language."),
    )
    name = models.CharField(_("title"), max_length=120)
    body = models.TextField(
        _("text"),
        max_length=50_000,
        help_text=_("Markdown: headings, lists, tables, bold, links. HTML is shown as text."),
    )
    audience = models.CharField(
        _("who can read it"),
        max_length=8,
        choices=Audience.choices,
        default=Audience.PUBLIC,
        help_text=_("Articles for agents only are never shown to visitors."),
    )
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=ArticleState.choices,
        default=ArticleState.DRAFT,
        help_text=_("Only published articles are found. Drafts are visible in the settings only."),
    )
    review_on = models.DateField(
        _("review on"),
        null=True,
        blank=True,
        help_text=_("From this day on, the list shows that the article is due for review."),
    )
    source = models.CharField(
        max_length=300,
        blank=True,
        editable=False,
        help_text="The file or row it was imported from; the next import updates it.",
    )
    text = models.TextField(editable=False, help_text="Title and body, without Markdown.")
    stems = SearchVectorField(
        editable=False, help_text="The stems of the text, by the language's configuration."
    )
    changed_at = models.DateTimeField(_("changed at"), editable=False)

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ("name", "pk")
        constraints = [
            # conversations.knowledge.importing: the article of a file.
            models.UniqueConstraint(
                fields=["website", "source"],
                condition=~Q(source=""),
                name="article_source_once",
            ),
        ]
        indexes = [
            # conversations.knowledge.finding: articles that contain all words of a search.
            GinIndex(Words(F("text")), name="articles_by_words"),
            # conversations.knowledge.finding: articles that share a stem with a question.
            GinIndex(fields=["stems"], name="articles_by_stems"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def slug(self) -> str:
        """The readable part of its address, which may be anything."""
        return slugify(fold(self.name))[:80] or "article"


class ArticleUse(models.Model):
    """How often an article was read in the Messenger on one day, and how often a visitor said that
    it answered their question. It refers to no visitor."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="uses")
    day = models.DateField(help_text="In the time zone of the website.")
    began_at = models.DateTimeField(null=True, help_text="When that day began: for the reports.")
    reads = models.PositiveIntegerField(default=0)
    answers = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("use of an article")
        verbose_name_plural = _("uses of articles")
        constraints = [
            # conversations.knowledge.uses: the counts of a day.
            models.UniqueConstraint(fields=["article", "day"], name="article_use_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.article_id} {self.day}"


class UnansweredQuestion(models.Model):
    """A question that a visitor asked a bot or an agent, and that no article answered (B24). Its
    conversation decides who may read it."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="unanswered_questions"
    )
    turn = models.PositiveIntegerField(
        help_text="The turn of the bot that asked the knowledge; 0 for a question to an agent."
    )
    language = models.CharField(max_length=10)
    text = models.TextField()
    asked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("unanswered question")
        verbose_name_plural = _("unanswered questions")
        ordering = ("-asked_at", "-pk")
        constraints = [
            # conversations.knowledge.unanswered: a repeated turn asks once.
            models.UniqueConstraint(
                fields=["conversation", "turn"], name="unanswered_question_once_a_turn"
            ),
        ]
        indexes = [
            # conversations.knowledge.unanswered: the latest questions.
            models.Index(fields=["-asked_at"], name="unanswered_by_moment"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id}"
