"""Administration of websites, their skills and their holidays."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.db.models import ForeignKey, Q, QuerySet
from django.forms.models import ModelChoiceField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts import rights
from accounts.models import CobrowsingPermission, Holiday, Skill, Website
from accounts.rights import ForAdministrators, OverseenWebsites, PartForOverseers
from accounts.widgets import CheckboxList
from routing import changes, page_links
from routing.admin.people import FROM_TO
from routing.admin.saving import Published


@admin.register(Website)
class WebsiteAdmin(ForAdministrators, Published, admin.ModelAdmin):
    list_display = ("name", "key", "language", "time_zone", "builder", "code")
    search_fields = ("name", "key")
    exclude = ("texts",)  # the builder shows one field for each
    delete_confirmation_template = "admin/routing/website_delete.html"
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "cobrowsing":
            return forms.MultipleChoiceField(
                choices=CobrowsingPermission.choices,
                required=False,
                widget=CheckboxList(db_field.verbose_name),
                label=capfirst(db_field.verbose_name),
                help_text=db_field.help_text,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("Messenger"))
    def builder(self, website: Website) -> SafeString:
        return format_html('<a href="{}">{}</a>', page_links.BUILDER.url(website.pk), _("Build"))

    @admin.display(description=_("code to embed"))
    def code(self, website: Website) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:setup_embed", args=[website.pk]),
            _("Show"),
        )

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Allow deleting a website with its settings, but not with its records.

        Both are shown as counts: a list of ten thousand rows would not help.
        """
        if held := _held_by(objs):
            return [], {}, set(), held
        _shown, counts, _missing, protected = super().get_deleted_objects(objs, request)
        links = {
            model._meta.verbose_name_plural
            for model in apps.get_models(include_auto_created=True)
            if model._meta.auto_created
        }
        counted = {name: count for name, count in counts.items() if name not in links}
        return [str(website) for website in objs], counted, set(), protected

    def published(self, website: Website) -> None:
        changes.website_changed(website.pk)

    def removed(self, website: Website) -> None:
        """Do nothing: everything that would react went with it."""


def _held_by(websites: Any) -> list[str]:
    """Return the records that protect some websites from deletion, as ``conversations: 12``."""
    ids = [website.pk for website in websites]
    held = []
    for relation in Website._meta.related_objects:
        model: Any = relation.related_model
        if relation.on_delete is models.PROTECT:
            count = model.objects.filter(website__in=ids).count()
            if count:
                name = capfirst(model._meta.verbose_name_plural)
                held.append(f"{name}: {localize(count)}")
    return held


@admin.register(Skill)
class SkillAdmin(ForAdministrators, Published, admin.ModelAdmin):
    """What a conversation may require of its agent (R145)."""

    list_display = ("name", "kind", "website")
    list_filter = ("kind", "website")
    search_fields = ("name",)

    def published(self, skill: Skill) -> None:
        changes.skill_changed(skill.pk)


class HolidayForm(forms.ModelForm):
    class Meta:
        model = Holiday
        fields = ("website", "group", "date", "name", "opens", "closes")
        labels = FROM_TO

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        website, group = cleaned.get("website"), cleaned.get("group")
        if website and group and group.website_id != website.pk:
            self.add_error("group", _("This group belongs to another website."))
        return cleaned


@admin.register(Holiday)
class HolidayAdmin(PartForOverseers, Published, admin.ModelAdmin):
    """Special days: administrators set those of whole websites, managers those of their groups."""

    form = HolidayForm
    list_display = ("date", "name", "website", "group", "opens", "closes")
    list_filter = (("website", OverseenWebsites),)
    date_hierarchy = "date"
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Holiday]:
        holidays = super().get_queryset(request).select_related("website", "group")
        if rights.administers(request.user):
            return holidays
        mine = Q(group__in=rights.groups_of(request.user))
        return holidays.filter(mine | Q(group=None, website__in=rights.websites_of(request.user)))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None or rights.administers(request.user):
            return super().has_change_permission(request, obj)
        return rights.groups_of(request.user).filter(pk=obj.group_id).exists()

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        if db_field.name == "website":
            kwargs["queryset"] = rights.websites_of(request.user)
        if db_field.name == "group":
            kwargs["queryset"] = rights.groups_of(request.user).select_related("website")
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field and db_field.name == "group" and not rights.administers(request.user):
            field.required = True  # only administrators set a day of the whole website
        return field

    def published(self, holiday: Holiday) -> None:
        changes.website_changed(holiday.website_id)
