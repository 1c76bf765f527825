"""The form of a webhook."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User
from accounts.widgets import CheckboxList
from conversations.models import Webhook
from conversations.webhooks import events, verbs


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=events.CHOICES, widget=CheckboxList(_("Events"))
    )
    replay_since = forms.SplitDateTimeField(
        label=_("Send everything again since"),
        required=False,
        widget=AdminSplitDateTime,
        help_text=_(
            "Leave empty to send only what happens from now on. Receivers can recognise repeats "
            "by their ids. The last 90 days are available."
        ),
    )

    class Meta:
        model = Webhook
        fields = ("website", "name", "url", "format", "events", "owner", "is_enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields.keys() & {"owner", "website"}:
            for what in ("add", "change", "delete", "view"):
                setattr(self.fields[name].widget, f"can_{what}_related", False)
        # Two fields with one label between them: each is named for those who hear the page.
        parts: Any = self.fields["replay_since"].widget
        for part, label in zip(parts.widgets, (_("Date"), _("Time")), strict=True):
            part.attrs["aria-label"] = str(label)
        if owner := self.fields.get("owner"):
            people = User.objects.filter(is_active=True, is_service=False)
            supervisors = people.filter(role__in=[Role.ADMIN, Role.MANAGER])
            owner.queryset = supervisors.order_by("first_name", "username")  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        verbs.check_url(url)
        return url

    def clean_replay_since(self) -> datetime | None:
        since: datetime | None = self.cleaned_data["replay_since"]
        if since is not None and since > timezone.now():
            raise ValidationError(_("Choose a moment in the past."))
        return since

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("events") and cleaned.get("format"):
            try:
                verbs.check_events(cleaned["events"], format=cleaned["format"])
            except ValidationError as error:
                self.add_error("events", error)
        return cleaned
