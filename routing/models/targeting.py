"""Targeting rules: whom a website engages, on which pages, and by which distribution rule."""

from __future__ import annotations

import re

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Skill, Website
from routing import targeting
from routing.models.rules import DistributionRule

TEXT_LIMIT = 160
LANGUAGE = re.compile(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")


def check_pattern(pattern: str) -> None:
    """Reject a pattern that no address can match."""
    # The stars are limited for the sake of whoever reads the rule. Matching is linear.
    if re.search(r"\s", pattern) or pattern.count("*") > 10:
        raise ValidationError(
            _(
                "“%(pattern)s” is not a valid pattern. Do not use spaces, and use * up to "
                "ten times."
            ),
            params={"pattern": pattern},
        )


class Device(models.TextChoices):
    DESKTOP = targeting.DESKTOP, _("computer")
    PHONE = targeting.PHONE, _("phone")
    TABLET = targeting.TABLET, _("tablet")


class Audience(models.TextChoices):
    ANYBODY = targeting.ANYBODY, _("new and returning visitors")
    NEW = targeting.NEW, _("new visitors")
    RETURNING = targeting.RETURNING, _("returning visitors")


class Hours(models.TextChoices):
    ALWAYS = targeting.ALWAYS, _("at any time")
    OPEN = targeting.OPEN, _("while a group of the rule is open")
    CLOSED = targeting.CLOSED, _("while all groups of the rule are closed")


class Operator(models.TextChoices):
    IS = targeting.IS, _("is")
    IS_NOT = targeting.IS_NOT, _("is not")
    CONTAINS = targeting.CONTAINS, _("contains")
    AT_LEAST = targeting.AT_LEAST, _("is at least")
    AT_MOST = targeting.AT_MOST, _("is at most")
    KNOWN = targeting.KNOWN, _("is known")
    UNKNOWN = targeting.UNKNOWN, _("is not known")


class TargetingRule(models.Model):
    """Whom to engage on which pages, and into which distribution rule. The first matching rule of a
    website decides (R39).

    An empty field sets no condition.
    """

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="targeting_rules", verbose_name=_("website")
    )
    name = models.CharField(_("name"), max_length=100)
    is_enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("Deselect this to skip the rule.")
    )
    position = models.PositiveSmallIntegerField(
        _("position"),
        default=0,
        help_text=_("The first rule that matches decides, even if it has no free place."),
    )
    rule = models.ForeignKey(
        DistributionRule,
        on_delete=models.RESTRICT,  # but deleted with its website
        related_name="targeting_rules",
        verbose_name=_("leads to"),
        help_text=_("The distribution rule that receives the conversations."),
    )
    calls_rule = models.ForeignKey(
        DistributionRule,
        on_delete=models.RESTRICT,  # but deleted with its website
        null=True,
        blank=True,
        related_name="calling_rules",
        verbose_name=_("calls lead to"),
        help_text=_(
            "If the website has calls, visitors can ask for one before they write. With 0 places "
            "in this rule, they can ask only while an agent is available for calls. With places, "
            "they can also ask to be called back. Leave empty to offer no calls."
        ),
    )
    pages_included = ArrayField(
        models.CharField(max_length=200, validators=[check_pattern]),
        verbose_name=_("only on these pages"),
        default=list,
        blank=True,
        help_text=_(
            "One pattern per line. * matches anything. /cart/* matches a path, "
            "www.example.com/lamps/* also matches the host, /search?* also matches the "
            "query. Leave empty for all pages."
        ),
    )
    pages_excluded = ArrayField(
        models.CharField(max_length=200, validators=[check_pattern]),
        verbose_name=_("not on these pages"),
        default=list,
        blank=True,
        help_text=_("Patterns as above. These take precedence."),
    )
    languages = ArrayField(
        models.CharField(
            max_length=35,
            validators=[RegexValidator(LANGUAGE, _("A language code such as fr, en-GB or de."))],
        ),
        verbose_name=_("languages"),
        default=list,
        blank=True,
        help_text=_(
            "Language codes separated by commas: fr, en-GB. Leave empty for pages in any language."
        ),
    )
    devices = ArrayField(
        models.CharField(max_length=10, choices=Device.choices),
        verbose_name=_("devices"),
        default=list,
        blank=True,
        help_text=_("Leave all unselected for any device."),
    )
    audience = models.CharField(
        _("visitors"),
        max_length=10,
        choices=Audience.choices,
        default=Audience.ANYBODY,
        help_text=_(
            "Nothing is stored in a browser before the visitor acts. A visitor is "
            "returning if they accepted the consent in an earlier visit, or if the "
            "website reports it (Causerie('visitor', {returning: true})). Everyone else "
            "counts as new."
        ),
    )
    seconds_on_page = models.PositiveSmallIntegerField(
        _("seconds on the page"),
        default=0,
        validators=[MaxValueValidator(3600)],
        help_text=_("The button appears after this time, up to 3600. 0 means at once."),
    )
    pages_viewed = models.PositiveSmallIntegerField(
        _("pages viewed"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text=_(
            "Includes the current page. Before visitors act, only this page, the "
            "previous one and those of a single-page application are known. The website "
            "can report more (Causerie('visitor', {pages: 5}))."
        ),
    )
    hours = models.CharField(
        _("opening hours"),
        max_length=10,
        choices=Hours.choices,
        default=Hours.ALWAYS,
        help_text=_("The opening hours are those of the groups of the distribution rule."),
    )
    shows_when_closed = models.BooleanField(
        _("button outside opening hours"),
        default=False,
        help_text=_(
            "When all groups are closed and offer no places, no one is engaged. Select "
            "this to show the button anyway: visitors who open it see when the team will "
            "be back."
        ),
    )
    texts = models.JSONField(
        _("proactive text"),
        default=dict,
        blank=True,
        help_text=_("One text per language. Without a text, visitors see only the button."),
    )
    skills = models.ManyToManyField(
        Skill,
        blank=True,
        related_name="targeting_rules",
        verbose_name=_("required skills"),
        help_text=_("Only agents with all of these skills receive the conversation."),
    )

    class Meta:
        verbose_name = _("targeting rule")
        verbose_name_plural = _("targeting rules")
        ordering = ("website", "position", "pk")
        constraints = [
            models.UniqueConstraint(fields=["website", "name"], name="targeting_name_once"),
            models.CheckConstraint(
                condition=Q(pages_viewed__gte=1), name="targeting_counts_this_page"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.rule_id and self.website_id and self.rule.website_id != self.website_id:
            raise ValidationError({"rule": _("This distribution rule belongs to another website.")})
        if self.calls_rule and self.website_id and self.calls_rule.website_id != self.website_id:
            raise ValidationError(
                {"calls_rule": _("This distribution rule belongs to another website.")}
            )

    @classmethod
    def deciding(cls, website: Website) -> models.QuerySet[TargetingRule]:
        """Return a website's deciding rules in order, with what ``as_target`` reads prefetched."""
        enabled = cls.objects.filter(website=website, is_enabled=True, rule__is_enabled=True)
        return enabled.order_by("position", "pk").prefetch_related("conditions", "skills")

    def as_target(self) -> targeting.Target:
        """Return the rule as plain data for the decision, using what is prefetched."""
        return targeting.Target(
            id=self.pk,
            rule_id=self.rule_id,
            include=tuple(self.pages_included),
            exclude=tuple(self.pages_excluded),
            languages=tuple(self.languages),
            devices=tuple(self.devices),
            audience=self.audience,
            seconds=self.seconds_on_page,
            pages=self.pages_viewed,
            conditions=tuple(
                targeting.Condition(row.name, row.operator, row.value)
                for row in self.conditions.all()
            ),
            hours=self.hours,
            shows_when_closed=self.shows_when_closed,
            texts={language: text for language, text in self.texts.items() if text},
            skills=tuple(sorted(skill.pk for skill in self.skills.all())),
            calls_rule_id=self.calls_rule_id,
        )


class TargetingCondition(models.Model):
    """What the website must report about the visitor or the cart. All of a rule's must hold."""

    targeting_rule = models.ForeignKey(
        TargetingRule, on_delete=models.CASCADE, related_name="conditions"
    )
    name = models.CharField(
        _("name"),
        max_length=targeting.NAME_LIMIT,
        help_text=_(
            "The name that the website uses: Causerie('visitor', {cart: {total: 80}}) "
            "sets cart.total."
        ),
    )
    operator = models.CharField(
        _("condition"), max_length=10, choices=Operator.choices, default=Operator.IS
    )
    value = models.CharField(
        _("value"),
        max_length=targeting.TEXT_LIMIT,
        blank=True,
        help_text=_("Upper and lower case do not matter."),
    )

    class Meta:
        verbose_name = _("condition on custom data")
        verbose_name_plural = _("conditions on custom data")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.name} {self.get_operator_display()} {self.value}".strip()

    def clean(self) -> None:
        is_number = self.operator in {Operator.AT_LEAST, Operator.AT_MOST}
        if is_number and targeting.number(self.value) is None:
            raise ValidationError({"value": _("Enter a number.")})
