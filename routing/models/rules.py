"""Distribution rules: ordered groups, each with its places in the queue."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Website
from conversations.models import Style
from routing.models.bots import Bot

SOCIAL_DEFAULT = timedelta(days=4)  # R154
WINDOW_LIMIT = timedelta(days=28)  # R155


class Mode(models.TextChoices):
    CASCADE = "cascade", _("Cascade")
    EQUAL_SHARE = "equal_share", _("Equal share")


class DistributionRule(models.Model):
    """Where the conversations of a kind of visitor go (R40, R44)."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="rules", verbose_name=_("website")
    )
    name = models.CharField(_("name"), max_length=100)
    is_enabled = models.BooleanField(
        _("enabled"),
        default=True,
        help_text=_(
            "Deselect this to start no more conversations through this rule. Those that already "
            "wait are still distributed."
        ),
    )
    mode = models.CharField(
        _("distribution"),
        max_length=12,
        choices=Mode.choices,
        default=Mode.CASCADE,
        help_text=_(
            "Cascade: the first group with room receives the conversation. Equal share: the group "
            "whose queue is least full receives it."
        ),
    )
    style = models.CharField(
        _("style"),
        max_length=20,
        choices=Style.choices,
        default=Style.LIVE,
        help_text=_(
            "Live: a solved conversation closes at once. The other styles let the visitor reopen "
            "it during the return window."
        ),
    )
    solved_window = models.DurationField(
        _("return window"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(WINDOW_LIMIT)],
        help_text=_(
            "Time between solved and closed, up to 28 days. Leave empty for the default: "
            "none for live, 4 days for social messaging."
        ),
    )

    bot = models.ForeignKey(
        Bot,
        on_delete=models.RESTRICT,  # but deleted with its website
        null=True,
        blank=True,
        related_name="rules",
        verbose_name=_("bot"),
        help_text=_("Answers first if one of the groups could take the conversation at that time."),
    )
    skill_relax_seconds = models.PositiveIntegerField(
        _("wait for a skill (seconds)"),
        null=True,
        blank=True,
        help_text=_(
            "After this time in a queue, a conversation that requires a skill can go to "
            "any member of the group. Leave empty to always require the skill."
        ),
    )

    class Meta:
        verbose_name = _("distribution rule")
        verbose_name_plural = _("distribution rules")
        ordering = ("website", "pk")
        constraints = [
            models.UniqueConstraint(fields=["website", "name"], name="rule_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.bot and self.bot.website_id != self.website_id:
            raise ValidationError({"bot": _("This bot belongs to another website.")})
        if self.style == Style.LIVE_WITH_RETURN and not self.solved_window:
            raise ValidationError(
                {"solved_window": _("“Live, with return” requires a return window.")}
            )

    @property
    def answering_bot(self) -> Bot | None:
        """The bot that begins its conversations, if it has one that can."""
        return self.bot if self.bot is not None and self.bot.can_answer else None

    @property
    def skill_patience(self) -> timedelta | None:
        """How long a conversation waits for an agent with its skills; ``None`` for ever."""
        seconds = self.skill_relax_seconds
        return None if seconds is None else timedelta(seconds=seconds)

    @property
    def window(self) -> timedelta | None:
        """From solved to closed; ``None`` is at once (C32)."""
        if self.style == Style.LIVE:
            return None
        return self.solved_window or SOCIAL_DEFAULT


class RuleStep(models.Model):
    """A queue: the pair (rule, group), and how many may wait in it (C15, R41)."""

    rule = models.ForeignKey(DistributionRule, on_delete=models.CASCADE, related_name="steps")
    group = models.ForeignKey(
        Group,
        on_delete=models.RESTRICT,  # but deleted with its website
        related_name="steps",
        verbose_name=_("group"),
    )
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, help_text=_("The group with the lowest number comes first.")
    )
    places = models.PositiveIntegerField(
        _("places in queue"),
        default=3,
        help_text=_(
            "How many conversations can wait. 0 means live only. 1 or more makes "
            "conversations asynchronous."
        ),
    )
    entered_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text=_(
            "The time of the last new entry. Equal share uses it to break ties in rotation."
        ),
    )

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        ordering = ("rule", "position", "pk")
        constraints = [
            models.UniqueConstraint(fields=["rule", "group"], name="group_once_in_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} → {self.group}"
