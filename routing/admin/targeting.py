"""Administration of targeting rules, in the order of their evaluation (R39)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from accounts.models import Skill
from accounts.rights import ForAdministrators
from routing import changes
from routing.admin.saving import Published
from routing.models import DistributionRule, TargetingCondition, TargetingRule
from routing.models.targeting import TEXT_LIMIT, Audience, Device, Hours


class LinesField(forms.CharField):
    """A list with one item a line."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = (line.strip() for line in str(value or "").splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


def _named(name: str) -> dict[str, Any]:
    """Return the model field's label and help text, for a form field of our own."""
    field: Any = TargetingRule._meta.get_field(name)
    return {"label": capfirst(field.verbose_name), "help_text": field.help_text, "required": False}


class TargetingForm(forms.ModelForm):
    """One targeting rule; its proactive text has a field for each language."""

    pages_included = LinesField(**_named("pages_included"))
    pages_excluded = LinesField(**_named("pages_excluded"))
    devices = forms.MultipleChoiceField(
        choices=Device.choices, widget=forms.CheckboxSelectMultiple, **_named("devices")
    )

    class Meta:
        model = TargetingRule
        exclude = ("texts",)  # noqa: DJ006 - a new condition must get its field

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, name in _text_fields():
            self.fields[name] = forms.CharField(
                label=_("Proactive text (%(language)s)")
                % {"language": get_language_info(code)["name_translated"]},
                max_length=TEXT_LIMIT,
                required=False,
                initial=self.instance.texts.get(code, ""),
            )
        for name in ("rule", "calls_rule"):
            rules: Any = self.fields[name]
            rules.queryset = DistributionRule.objects.select_related("website")
            rules.label_from_instance = _with_website
        skills: Any = self.fields["skills"]
        skills.queryset = Skill.objects.select_related("website")
        skills.label_from_instance = _with_website

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        texts = {code: cleaned.get(name, "").strip() for code, name in _text_fields()}
        self.instance.texts = {code: text for code, text in texts.items() if text}
        website, skills = cleaned.get("website"), cleaned.get("skills") or ()
        if website and any(skill.website_id != website.pk for skill in skills):
            self.add_error(
                "skills",
                _("This skill belongs to another website. Choose a skill of this website."),
            )
        return cleaned


def _text_fields() -> list[tuple[str, str]]:
    return [(code, f"text_{code}") for code, _name in settings.LANGUAGES]


def _with_website(one: DistributionRule | Skill) -> str:
    return f"{one.website} · {one}"


class RowForm(forms.ModelForm):
    """One row of the list; the labels of its fields name the rule."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label}: {self.instance}"


class ConditionInline(ForAdministrators, admin.TabularInline):
    """What the website must report about the visitor."""

    model = TargetingCondition
    fields = ("name", "operator", "value")
    extra = 0


@admin.register(TargetingRule)
class TargetingAdmin(ForAdministrators, Published, admin.ModelAdmin):
    """Targeting rules in order, moved by arrows: the first that matches decides."""

    form = TargetingForm
    list_display = ("name", "website", "position", "leads_to", "asks", "is_enabled")
    list_display_links = ("name",)
    list_editable = ("position", "is_enabled")
    list_filter = ("website", "is_enabled")
    list_select_related = ("website", "rule")
    search_fields = ("name",)
    sortable_by = ()
    ordering = ("website", "position", "pk")
    inlines = (ConditionInline,)

    class Media:
        js = [forms.Script("accounts/order.js", type="module")]

    @admin.display(description=gettext_lazy("leads to"))
    def leads_to(self, rule: TargetingRule) -> str:
        return rule.rule.name

    @admin.display(description=gettext_lazy("conditions"))
    def asks(self, rule: TargetingRule) -> str:
        """Summarize the conditions, enough to see why one rule comes before another."""
        parts = [", ".join(rule.pages_included), ", ".join(rule.languages)]
        parts += [str(Device(device).label) for device in rule.devices]
        if rule.seconds_on_page:
            parts.append(_("%(n)d s on the page") % {"n": rule.seconds_on_page})
        if rule.pages_viewed > 1:
            parts.append(_("%(n)d pages viewed") % {"n": rule.pages_viewed})
        if rule.audience != Audience.ANYBODY:
            parts.append(rule.get_audience_display())
        if rule.hours != Hours.ALWAYS:
            parts.append(rule.get_hours_display())
        parts += [str(condition) for condition in rule.conditions.all()]
        parts += [str(skill) for skill in rule.skills.all()]
        return " · ".join(part for part in parts if part) or _("all visitors, all pages")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("conditions", "skills")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        texts = [name for _code, name in _text_fields()]
        return (
            (None, {"fields": ("website", "name", "is_enabled", "position", "rule", "calls_rule")}),
            (
                _("Pages and visitors"),
                {
                    "fields": (
                        "pages_included",
                        "pages_excluded",
                        "languages",
                        "devices",
                        "audience",
                        "seconds_on_page",
                        "pages_viewed",
                        "hours",
                        "shows_when_closed",
                    )
                },
            ),
            (_("Behaviour"), {"fields": (*texts, "skills")}),
        )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["fields"] = None  # the text fields of each language are added by the form
        return super().get_form(request, obj, change, **kwargs)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, form=RowForm, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Put a new rule last."""
        last = TargetingRule.objects.order_by("-position").values_list("position", flat=True)
        following: dict[str, Any] = {"position": (last.first() or 0) + 1}
        return following | super().get_changeform_initial_data(request)

    def published(self, rule: TargetingRule) -> None:
        changes.rule_changed(rule.website_id)
