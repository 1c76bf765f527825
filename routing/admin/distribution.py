"""Administration of distribution rules. What is saved is published in the same transaction, so that
queues drain at once (R216)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.admin import ForAdministrators
from routing import changes
from routing.models import DistributionRule, RuleStep


class StepFormSet(BaseInlineFormSet):
    """The queues of one rule: a rule never leads to another website's group."""

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            group = form.cleaned_data.get("group") if form.is_valid() else None
            if group is not None and group.website_id != self.instance.website_id:
                raise ValidationError(
                    _("“%(group)s” is a group of another website.") % {"group": group}
                )


class StepInline(ForAdministrators, admin.TabularInline):
    """Section 2 of the rule's form: groups in order, each with its places (R211, R212)."""

    model = RuleStep
    formset = StepFormSet
    fields = ("position", "group", "places")
    extra = 0
    min_num = 1


@admin.register(DistributionRule)
class RuleAdmin(ForAdministrators, admin.ModelAdmin):
    list_display = ("name", "website", "position", "is_enabled", "mode", "style")
    list_filter = ("website", "is_enabled")
    inlines = (StepInline,)

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        changes.rule_changed(form.instance.website_id)

    def delete_model(self, request: HttpRequest, obj: DistributionRule) -> None:
        super().delete_model(request, obj)
        changes.rule_changed(obj.website_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[DistributionRule]) -> None:
        websites = set(queryset.values_list("website", flat=True))
        super().delete_queryset(request, queryset)
        for website_id in websites:
            changes.rule_changed(website_id)
