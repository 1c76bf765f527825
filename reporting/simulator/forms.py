"""The form for the numbers of the formula."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from reporting.simulator.advice import Workload

# Shown until there is enough history, and instead of a measured 0 (C77): the example of R214, with
# the team's own number of agents.
EXAMPLE_PER_HOUR = 10
EXAMPLE_HOURS = 3


class SizeForm(forms.Form):
    """Agents x conversations per agent and hour x off-peak hours (R213)."""

    agents = forms.FloatField(label=_("Agents"), min_value=0, max_value=10_000)
    per_hour = forms.FloatField(
        label=_("Conversations per agent per hour"), min_value=0, max_value=1_000
    )
    off_peak_hours = forms.FloatField(label=_("Off-peak hours"), min_value=0, max_value=24)
    other = forms.IntegerField(
        label=_("Also simulate another number of places"),
        required=False,
        min_value=0,
        max_value=100_000,
    )

    def __init__(self, *args: Any, pace: Workload | None, agents: int, **kwargs: Any) -> None:
        measured = {
            "agents": (pace.agents if pace else 0) or agents or 1,
            "per_hour": (pace.per_hour if pace else 0) or EXAMPLE_PER_HOUR,
            "off_peak_hours": (pace.off_peak_hours if pace else 0) or EXAMPLE_HOURS,
        }
        kwargs |= {"initial": measured, "label_suffix": ""}
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            attributes = {"class": "input", "step": "1" if name == "other" else "0.1"}
            if self.is_bound and self.errors.get(name):
                attributes |= {"aria-invalid": "true", "aria-describedby": f"{name}-error"}
            field.widget.attrs |= attributes
            field.localize = False

    def numbers(self) -> tuple[float, float, float]:
        """Return the numbers for the formula: those typed if all are valid, else the initial
        ones."""
        names = ("agents", "per_hour", "off_peak_hours")
        if self.is_bound and self.is_valid():
            agents, per_hour, hours = (float(self.cleaned_data[name]) for name in names)
        else:
            agents, per_hour, hours = (float(self.initial[name]) for name in names)
        return agents, per_hour, hours

    @property
    def wanted(self) -> int | None:
        """Another number of places, if one was typed."""
        chosen: int | None = (
            self.cleaned_data["other"] if self.is_bound and self.is_valid() else None
        )
        return chosen
