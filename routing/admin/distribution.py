"""Administration of distribution rules, their queues in order, and bots."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.rights import ForAdministrators
from routing import changes
from routing.admin.saving import Published
from routing.models import Bot, DistributionRule, RuleStep


class StepFormSet(BaseInlineFormSet):
    """The queues of one rule, which never leads to another website's group."""

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            group = form.cleaned_data.get("group") if form.is_valid() else None
            if group is not None and group.website_id != self.instance.website_id:
                raise ValidationError(
                    _("“%(group)s” belongs to another website.") % {"group": group}
                )


class StepInline(ForAdministrators, admin.TabularInline):
    """Section 2 of the rule's form: groups in order, each with its places (R211, R212)."""

    model = RuleStep
    formset = StepFormSet
    fields = ("position", "group", "places")
    extra = 0
    min_num = 1
    verbose_name_plural = gettext_lazy("2. Set the distribution for each group")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "places":
            field.label = gettext_lazy("Places in the conversation queue")
        if field is not None and db_field.name == "group":
            for what in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{what}_related", False)
        return field


@admin.register(DistributionRule)
class RuleAdmin(ForAdministrators, Published, admin.ModelAdmin):
    """The form of a rule in two sections (R209-R212)."""

    list_display = ("name", "website", "queues", "mode", "style", "is_enabled", "pencil")
    list_filter = ("website", "is_enabled")
    list_select_related = ("website",)
    search_fields = ("name",)
    inlines = (StepInline,)

    class Media:
        js = [forms.Script("accounts/order.js", type="module")]

    @admin.display(description=gettext_lazy("places in queue"))
    def queues(self, rule: DistributionRule) -> str:
        return ", ".join(f"{step.group} {step.places}" for step in rule.steps.all())

    @admin.display(description="")
    def pencil(self, rule: DistributionRule) -> SafeString:
        """Return the link beside the rule that opens it (R209)."""
        return format_html(
            '<a class="pencil" href="{}" aria-label="{}" title="{}"></a>',
            reverse("admin:routing_distributionrule_change", args=[rule.pk]),
            _("Edit %(rule)s") % {"rule": rule},
            _("Edit"),
        )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("steps__group")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return ((_("1. Define the rule"), {"fields": self.get_fields(request, obj)}),)

    def published(self, rule: DistributionRule) -> None:
        changes.rule_changed(rule.website_id)


@admin.register(Bot)
class BotAdmin(ForAdministrators, Published, admin.ModelAdmin):
    """The bot that answers first on the rules it is attached to (R33, R207)."""

    list_display = ("name", "website", "leads_to")
    list_filter = ("website",)
    search_fields = ("name",)

    @admin.display(description=gettext_lazy("distribution rules"))
    def leads_to(self, bot: Bot) -> str:
        return ", ".join(rule.name for rule in bot.rules.all())

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("rules")

    def published(self, bot: Bot) -> None:
        changes.rule_changed(bot.website_id)
