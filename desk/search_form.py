"""The form of the search page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Model
from django.forms.models import ModelChoiceField
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Group, User
from conversations.models import Tag
from conversations.models.choices import STATUS_LABELS
from desk import search


class GroupField(ModelChoiceField):  # type: ignore[type-arg]
    """Groups of several websites may have the same name, so the website's is added."""

    def label_from_instance(self, group: Model) -> str:
        return f"{group} · {group.website}"  # type: ignore[attr-defined]


class TagField(ModelChoiceField):  # type: ignore[type-arg]
    """Tags with their category; the website's name tells those of the same name apart."""

    def label_from_instance(self, tag: Model) -> str:
        category = f"{tag.category} › " if tag.category else ""  # type: ignore[attr-defined]
        return f"{category}{tag} · {tag.website}"  # type: ignore[attr-defined]


class SearchForm(forms.Form):
    """Sent by GET only, so that a search has a URL. Lists offer what its user may see."""

    q = forms.CharField(label=_("Text, visitor, e-mail or number"), max_length=200, required=False)
    status = forms.ChoiceField(
        label=_("Status"), choices=[("", _("All statuses")), *STATUS_LABELS.items()], required=False
    )
    group = GroupField(
        label=_("Group"), queryset=Group.objects.none(), empty_label=_("All groups"), required=False
    )
    agent = forms.ModelChoiceField(
        label=_("Agent"), queryset=Agent.objects.none(), empty_label=_("All agents"), required=False
    )
    tag = TagField(
        label=_("Tag"), queryset=Tag.objects.none(), empty_label=_("All tags"), required=False
    )
    since = forms.DateField(label=_("From"), required=False)
    until = forms.DateField(label=_("To"), required=False)
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].queryset = search.groups_for(user)  # type: ignore[attr-defined]
        self.fields["agent"].queryset = search.agents_for(user)  # type: ignore[attr-defined]
        self.fields["tag"].queryset = search.tags_for(user)  # type: ignore[attr-defined]
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
            self.fields[name].input_formats = ["%Y-%m-%d"]  # type: ignore[attr-defined]
        for name, bound in self.fields.items():
            bound.widget.attrs |= {"class": "input"} | (
                {"aria-invalid": "true", "aria-describedby": f"{name}-fault"}
                if name in self.errors
                else {}
            )
        self.fields["q"].widget.attrs |= {"type": "search", "autofocus": True}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day must not be before the first."))
        return cleaned

    def search(self) -> search.Search:
        """Return the search of a valid form."""
        asked = self.cleaned_data
        return search.Search(text=asked["q"], **{k: asked[k] for k in asked if k != "q"})

    @property
    def is_narrowed(self) -> bool:
        """Whether there is any criterion."""
        return any(value for name, value in self.data.items() if name in self.fields)

    @property
    def filters(self) -> list[forms.BoundField]:
        return [self[name] for name in ("status", "group", "agent", "tag", "since", "until")]
