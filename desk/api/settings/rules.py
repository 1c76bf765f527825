"""Distribution rules with their places, and targeting rules with their conditions."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError as Invalid
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts import rights
from accounts.models import User
from desk.api.settings.agents import skills_of
from desk.api.settings.fields import Keyed, Numbered
from desk.api.settings.shape import (
    SettingSerializer,
    SettingViewSet,
    WebsiteFilterSerializer,
    assign,
    described,
)
from routing import changes, parts
from routing.models import (
    Bot,
    DistributionRule,
    RuleStep,
    TargetingCondition,
    TargetingRule,
)
from routing.models.targeting import TEXT_LIMIT, Device


def bots_of(user: User) -> QuerySet[Bot]:
    return Bot.objects.filter(website__in=rights.websites_of(user).order_by().values("pk"))


def rules_of(user: User) -> QuerySet[DistributionRule]:
    """Return the rules that a user sees in the administration: all for administrators and
    auditors, none for others (C39)."""
    rows = DistributionRule.objects.all()
    return rights.within_token(rows, user) if rights.sees_everything(user) else rows.none()


class StepSerializer(serializers.ModelSerializer[RuleStep]):
    """A queue: a group, and how many conversations can wait for it. 0 is live only."""

    group = Numbered(rights.groups_of)

    class Meta:
        model = RuleStep
        fields = ("group", "places")


class RuleSerializer(SettingSerializer):
    """A distribution rule. `steps` are its groups in order, each with its places in the queue;
    those that you send replace all."""

    id = serializers.IntegerField(source="pk", read_only=True)
    website = Keyed()
    bot = Numbered(bots_of, required=False, allow_null=True)
    solved_window = serializers.DurationField(
        required=False, allow_null=True, help_text="`4 00:00:00` is four days. At most 28 days."
    )
    steps = StepSerializer(many=True, allow_empty=False)

    class Meta:
        model = DistributionRule
        fields = (
            *("id", "website", "name", "is_enabled", "mode", "style", "solved_window"),
            *("bot", "skill_relax_seconds", "steps"),
        )


@described(
    "a distribution rule", "the distribution rules", who="Administrators only; auditors read them."
)
class RuleViewSet(SettingViewSet):
    noun = "rules"
    model = DistributionRule
    serializer_class = RuleSerializer
    filters = WebsiteFilterSerializer

    def rows(self) -> QuerySet[DistributionRule]:
        steps = Prefetch("steps", RuleStep.objects.order_by("position", "pk"))
        return rules_of(self.user).select_related("website").prefetch_related(steps)

    def write(self, row: DistributionRule, values: dict[str, Any]) -> None:
        steps = values.pop("steps", None)
        assign(row, values)
        if steps is not None:
            default = RuleStep._meta.get_field("places").default
            parts.set_steps(row, [(one["group"], one.get("places", default)) for one in steps])
        changes.rule_changed(row.website_id)

    def remove(self, row: DistributionRule) -> None:
        row.delete()
        changes.rule_changed(row.website_id)


class ConditionSerializer(serializers.ModelSerializer[TargetingCondition]):
    """What the website must report about the visitor or the cart."""

    class Meta:
        model = TargetingCondition
        fields = ("name", "operator", "value")


class TargetingSerializer(SettingSerializer):
    """A targeting rule: whom to engage on which pages. The first of a website that matches, by
    `position`, decides. An empty field sets no condition."""

    id = serializers.IntegerField(source="pk", read_only=True)
    website = Keyed()
    rule = Numbered(rules_of, help_text="The distribution rule that receives the conversations.")
    calls_rule = Numbered(rules_of, required=False, allow_null=True)
    skills = Numbered(skills_of, many=True, required=False)
    devices = serializers.ListField(
        child=serializers.ChoiceField(choices=Device.choices), required=False
    )
    texts = serializers.DictField(
        child=serializers.CharField(max_length=TEXT_LIMIT, allow_blank=True),
        required=False,
        help_text="The proactive text by language: `fr`, `en`.",
    )
    conditions = ConditionSerializer(many=True, required=False)

    class Meta:
        model = TargetingRule
        fields = (
            *("id", "website", "name", "is_enabled", "position", "rule", "calls_rule"),
            *("pages_included", "pages_excluded", "languages", "devices", "audience"),
            *("seconds_on_page", "pages_viewed", "hours", "shows_when_closed"),
            *("texts", "skills", "conditions"),
        )

    def validate_texts(self, texts: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(texts) - set(dict(settings.LANGUAGES)))
        if unknown:
            text = _("The Messenger is not available in this language.")
            raise serializers.ValidationError({name: [text] for name in unknown})
        return {language: text for language, text in texts.items() if text}


@described(
    "a targeting rule", "the targeting rules", who="Administrators only; auditors read them."
)
class TargetingViewSet(SettingViewSet):
    noun = "targeting"
    model = TargetingRule
    serializer_class = TargetingSerializer
    filters = WebsiteFilterSerializer

    def rows(self) -> QuerySet[TargetingRule]:
        rows = TargetingRule.objects.all()
        if not rights.sees_everything(self.user):
            return rows.none()
        conditions = Prefetch("conditions", TargetingCondition.objects.order_by("pk"))
        mine = rights.within_token(rows, self.user).select_related("website")
        return mine.prefetch_related(conditions, "skills")

    def write(self, row: TargetingRule, values: dict[str, Any]) -> None:
        conditions = values.pop("conditions", None)
        if "website" in values:
            row.website = values["website"]
        parts.check_skills(row, values.get("skills", ()))
        assign(row, values)
        if conditions is not None:
            try:
                parts.set_conditions(row, conditions)
            except Invalid as invalid:
                raise Invalid({"conditions": invalid.messages}) from None
        changes.rule_changed(row.website_id)

    def remove(self, row: TargetingRule) -> None:
        row.delete()
        changes.rule_changed(row.website_id)
