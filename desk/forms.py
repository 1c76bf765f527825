"""The desk's forms: snooze, transfer, reassign, block, note."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Group, User
from conversations.agents import notes
from conversations.lifecycle.verbs import SNOOZE_LIMIT
from conversations.models import Conversation
from core.text.cleaning import words
from desk import queries

DURATIONS = {"3h": timedelta(hours=3), "24h": timedelta(hours=24)}
CUSTOM = "custom"
MORNING = time(9, 0)
BLOCKS = {"1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
FOR_EVER = "ever"


class WallClockField(forms.DateTimeField):
    """A date and time in the agent's time zone.

    An hour that the change to summer time skips becomes the one that the clock shows instead; of an
    hour that occurs twice, the first is taken.
    """

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(UTC):
            read: datetime | None = super().to_python(value)
        zone = timezone.get_current_timezone()
        return read.replace(tzinfo=zone).astimezone(UTC) if read else None


class SnoozeForm(forms.Form):
    """A duration (R106), or a date and time in the agent's zone (R112); two boxes."""

    duration = forms.ChoiceField(
        choices=[("3h", _("3 hours")), ("24h", _("24 hours")), (CUSTOM, _("Custom"))], initial="3h"
    )
    until = WallClockField(required=False, input_formats=["%Y-%m-%dT%H:%M"])
    keep = forms.BooleanField(required=False)
    auto_close = forms.BooleanField(required=False, initial=True)

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        duration = cleaned.get("duration")
        if duration in DURATIONS:
            cleaned["until"] = self.at + DURATIONS[duration]
        elif duration == CUSTOM and "until" not in self.errors:
            self._check(cleaned.get("until"))
        return cleaned

    def _check(self, until: datetime | None) -> None:
        if until is None:
            self.add_error("until", _("Choose the date and time when the snooze ends."))
        elif until <= self.at:
            self.add_error("until", _("This time has passed. Choose a later one."))
        elif until > self.at + SNOOZE_LIMIT:
            self.add_error("until", _("A snooze can last up to one year."))


def quick_moments(at: datetime) -> list[tuple[str, str]]:
    """Return shortcuts for the custom end, as (label, value of the field), in the agent's zone."""
    here = timezone.localtime(at)
    tomorrow = datetime.combine(here.date() + timedelta(days=1), MORNING)
    in_15_minutes = timezone.localtime(at + timedelta(minutes=16))
    in_48_hours = timezone.localtime(at + timedelta(hours=48))
    moments = [
        (_("15 min"), in_15_minutes),
        (_("Tomorrow 9:00"), tomorrow),
        (_("48 hours"), in_48_hours),
    ]
    return [(str(label), f"{moment:%Y-%m-%dT%H:%M}") for label, moment in moments]


class TransferForm(forms.Form):
    """A colleague or a team: exactly one (R199); a note for the next agent."""

    agent = forms.ModelChoiceField(queryset=Agent.objects.none(), required=False)
    group = forms.ModelChoiceField(queryset=Group.objects.none(), required=False)
    note = forms.CharField(required=False, max_length=notes.BODY_LIMIT)

    def __init__(self, *args: Any, conversation: Conversation, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agent"].queryset = queries.colleagues(conversation, user)  # type: ignore[attr-defined]
        self.fields["group"].queryset = queries.teams(conversation)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        chosen = [cleaned[name] for name in ("agent", "group") if cleaned.get(name)]
        if len(chosen) != 1 and not self.errors:
            raise forms.ValidationError(_("Choose a colleague or a team."))
        cleaned["to"] = chosen[0] if chosen else None
        return cleaned


class ReassignForm(forms.Form):
    """The new holder of a conversation: any team of its website, any agent of those teams."""

    to = forms.ChoiceField(
        label=_("Assign to"), error_messages={"required": _("Choose an agent or a team.")}
    )

    def __init__(self, *args: Any, conversation: Conversation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.teams = {f"team-{one.pk}": one for one in queries.teams(conversation)}
        self.agents = {f"agent-{one.pk}": one for one in queries.agents_of(conversation)}
        to = self.fields["to"]
        assert isinstance(to, forms.ChoiceField)
        to.widget.attrs |= {"class": "input", "id": f"to-{conversation.pk}"}
        to.choices = [
            ("", _("Choose…")),
            (_("Teams"), [(key, one.name) for key, one in self.teams.items()]),
            (_("Agents"), [(key, one.display_name) for key, one in self.agents.items()]),
        ]

    def clean_to(self) -> Agent | Group:
        key: str = self.cleaned_data["to"]
        return self.teams.get(key) or self.agents[key]


class BlockForm(forms.Form):
    """The reason and term of a block (R58)."""

    reason = forms.CharField(
        max_length=300,
        error_messages={
            "required": _("Enter a reason. It helps the person who may lift the block later.")
        },
    )
    term = forms.ChoiceField(
        choices=[
            ("1d", _("24 hours")),
            ("7d", _("7 days")),
            ("30d", _("30 days")),
            (FOR_EVER, _("Until lifted")),
        ],
        initial="7d",
    )

    def until(self, at: datetime) -> datetime | None:
        """Return when a block from ``at`` on ends; ``None`` if it lasts until it is lifted."""
        term = self.cleaned_data["term"]
        return None if term == FOR_EVER else at + BLOCKS[term]


class NoteForm(forms.Form):
    """A note for the team."""

    body = forms.CharField(
        max_length=notes.BODY_LIMIT,
        error_messages={
            "required": _("The note is empty. Write something first."),
            "max_length": _(
                "This note has %(show_value)d characters. The limit is %(limit_value)d. "
                "Your text is still here: please shorten it."
            ),
        },
    )

    def clean_body(self) -> str:
        return words(self.cleaned_data["body"])
