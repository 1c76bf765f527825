"""A widget to choose several of many: checkboxes with a search.

It replaces Django's two lists, whose arrows have no accessible name and whose selection needs Ctrl.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class CheckboxList(forms.CheckboxSelectMultiple):
    """Checkboxes in a frame; ``accounts/checkbox_list.js`` adds a search if there are many."""

    class Media:
        js = [forms.Script("accounts/checkbox_list.js", type="module")]

    def __init__(self, label: object = "", **options: Any) -> None:
        self.label = label
        super().__init__(**options)

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        boxes = super().render(name, value, attrs, renderer)
        if not list(self.choices):
            boxes = format_html("<p>{}</p>", _("There is nothing to choose from yet."))
        return format_html(
            '<div class="checkbox-list" role="group" aria-label="{}" '
            'data-search="{}" data-none="{}">{}</div>',
            str(self.label).capitalize() if self.label else _("Choices"),
            _("Search"),
            gettext_lazy("No matches."),
            boxes,
        )
