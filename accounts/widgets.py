"""Form widgets of our own: checkboxes with a search, and secrets that are written and never shown.

The checkboxes replace Django's two lists, whose arrows have no accessible name and whose selection
needs Ctrl.
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


class SecretInput(forms.PasswordInput):
    """A field for a stored secret, which it never shows: it says whether there is one, and has a
    checkbox to remove it. Its value is ``None`` for "unchanged", and "" for "removed"."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        about, box = f"{name}-about", f"{name}-remove"
        shown = {"autocomplete": "new-password", "class": "vTextField", **(attrs or {})}
        shown["aria-describedby"] = f"{about} {shown.get('aria-describedby', '')}".strip()
        written = super().render(name, None, shown, renderer)
        about_it = _("A secret is stored and is never shown. Leave this empty to keep it.")
        removing = format_html(
            '<label><input type="checkbox" name="{}"> {}</label>',
            box,
            _("Remove the stored secret"),
        )
        return format_html(
            '<div class="secret-input">{}<p class="help" id="{}">{}</p>{}</div>',
            written,
            about,
            about_it if value else _("No secret is stored."),
            removing if value else "",
        )

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str | None:
        if typed := data.get(name):
            return str(typed)
        return "" if data.get(f"{name}-remove") else None

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return self.value_from_datadict(data, files, name) is None


class SecretField(forms.CharField):
    """A secret that is written and never read (``core.encryption.EncryptedTextField``): a new one,
    "" to remove it, or ``None`` to leave it as it is."""

    widget = SecretInput

    def to_python(self, value: Any) -> str | None:
        return None if value is None else super().to_python(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return data is not None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what is stored: what was typed is not shown again after an error."""
        return initial
