"""Administration of distribution rules, their queues in order, and bots."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.rights import ForAdministrators
from core import encryption, outside_calls, outside_servers
from routing import changes, page_links
from routing.admin.saving import Published
from routing.bots import programs
from routing.models import Bot, BotEndpoint, BotKind, DistributionRule, RuleStep
from routing.models.programs import new_signing_secret


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


class EndpointForm(forms.ModelForm):
    class Meta:
        model = BotEndpoint
        fields = ("url", "owner_email", "answer_seconds")
        labels = {"answer_seconds": gettext_lazy("Time to answer (seconds)")}

    def clean_url(self) -> str:
        """Refuse what a request to the program would refuse later (N8)."""
        url: str = self.cleaned_data["url"]
        try:
            outside_calls.check(url, allowed=settings.PRIVATE_SERVERS)
        except outside_servers.Forbidden:
            raise ValidationError(
                _("This address cannot be called. Use a public server on the standard port.")
            ) from None
        return url


class EndpointInline(ForAdministrators, admin.StackedInline):
    """The address of a bot's program, and the secret with which requests are signed."""

    model = BotEndpoint
    form = EndpointForm
    fields = ("url", "owner_email", "answer_seconds", "signing_secret")
    readonly_fields = ("signing_secret",)
    verbose_name_plural = gettext_lazy("Address of the program")

    @admin.display(description=gettext_lazy("secret"))
    def signing_secret(self, endpoint: BotEndpoint) -> str:
        if not endpoint.pk:
            return _("Shown after you save.")
        try:
            return str(endpoint.secret.reveal())
        except encryption.Unreadable:
            return _("This secret can no longer be read. Replace it.")


@admin.register(Bot)
class BotAdmin(ForAdministrators, Published, admin.ModelAdmin):
    """The bot that answers first on the rules it is attached to (R33, R207)."""

    list_display = ("name", "website", "leads_to", "scenario")
    list_filter = ("website",)
    search_fields = ("name",)
    actions = ("resume", "renew")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    @admin.display(description=gettext_lazy("distribution rules"))
    def leads_to(self, bot: Bot) -> str:
        return ", ".join(rule.name for rule in bot.rules.all())

    @admin.display(description=gettext_lazy("scenario"))
    def scenario(self, bot: Bot) -> SafeString | str:
        """Return the link to the editor, and whether anything is published."""
        if bot.kind != BotKind.SCENARIO:
            return _program_of(bot)
        version = bot.published
        state = _("version %(n)d") % {"n": version.number} if version else _("not published")
        url = page_links.SCENARIO.url(bot.pk)
        return format_html('<a href="{}">{}</a> · {}', url, _("Edit the scenario"), state)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return (EndpointInline,) if obj and obj.kind == BotKind.PROGRAM else ()

    @admin.action(description=gettext_lazy("Let these bots answer again"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Bot]) -> None:
        for bot in queryset:
            programs.resume(bot.pk)
        self.message_user(request, _("These bots answer again."))

    @admin.action(
        description=gettext_lazy("Replace the secrets of these bots"), permissions=["change"]
    )
    def renew(self, request: HttpRequest, queryset: QuerySet[Bot]) -> None:
        for endpoint in BotEndpoint.objects.filter(bot__in=queryset):
            endpoint.secret = new_signing_secret()
            endpoint.save(update_fields=["secret"])
        self.message_user(request, _("The previous secrets no longer work."))

    def response_add(
        self, request: HttpRequest, obj: Bot, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on with the scenario of a new bot."""
        answer = super().response_add(request, obj, post_url_continue)
        goes_on = obj.kind == BotKind.SCENARIO and "_save" in request.POST
        return redirect(page_links.SCENARIO.url(obj.pk)) if goes_on else answer

    def get_queryset(self, request: HttpRequest) -> Any:
        bots = super().get_queryset(request).select_related("published", "endpoint")
        return bots.prefetch_related("rules")

    def published(self, bot: Bot) -> None:
        changes.rule_changed(bot.website_id)


def _program_of(bot: Bot) -> SafeString | str:
    """Return how a bot's program answers, with the link to its figures."""
    if not hasattr(bot, "endpoint"):
        return _("by a program")
    state = _("paused") if bot.paused_at else _("by a program")
    url = page_links.PROGRAM_FIGURES.url(bot.pk)
    return format_html('{} · <a href="{}">{}</a>', state, url, _("Figures"))
