"""The findings of the queue-size simulator as sentences."""

from __future__ import annotations

from datetime import timedelta

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import moments
from reporting.simulator.model import Summary


def sentence(outcome: Summary, places: int) -> str:
    """ "With 75 places, 4 of 812 visitors would not have been engaged; half would have waited under
    9 min, nine in ten under 31 min." (B21)"""
    values = {
        "places": _number(places),
        "refused": _number(outcome.refused),
        "arrived": _number(outcome.arrived),
        "waits": waits(outcome),
    }
    if outcome.refused:
        return (
            ngettext(
                "With %(places)s place, %(refused)s of %(arrived)s visitors would not have been "
                "engaged; %(waits)s.",
                "With %(places)s places, %(refused)s of %(arrived)s visitors would not have been "
                "engaged; %(waits)s.",
                places,
            )
            % values
        )
    return (
        ngettext(
            "With %(places)s place, all %(arrived)s visitors would have been engaged; %(waits)s.",
            "With %(places)s places, all %(arrived)s visitors would have been engaged; %(waits)s.",
            places,
        )
        % values
    )


def really(outcome: Summary) -> str:
    """The real outcome in the same words: "4 of 812 visitors were not engaged; …"."""
    values = {"refused": _number(outcome.refused), "arrived": _number(outcome.arrived)}
    if outcome.median is None:
        text = _(
            "%(refused)s of %(arrived)s visitors were not engaged; most of them are still waiting."
        )
        return text % values
    values["half"] = duration(outcome.median)
    if outcome.ninth_decile is None:
        text = _(
            "%(refused)s of %(arrived)s visitors were not engaged; half waited under "
            "%(half)s, and some are still waiting."
        )
        return text % values
    values["most"] = duration(outcome.ninth_decile)
    text = _(
        "%(refused)s of %(arrived)s visitors were not engaged; half waited under %(half)s, nine "
        "in ten under %(most)s."
    )
    return text % values


def waits(outcome: Summary) -> str:
    """How long half and nine in ten of the engaged waited, as far as the period shows."""
    if outcome.median is None:
        return _("most would still have been waiting at the end")
    half = duration(outcome.median)
    if outcome.ninth_decile is None:
        text = _("half would have waited under %(half)s, some beyond the end of the period")
        return text % {"half": half}
    most = duration(outcome.ninth_decile)
    text = _("half would have waited under %(half)s, nine in ten under %(most)s")
    return text % {"half": half, "most": most}


def duration(length: timedelta) -> str:
    """Round up to the next full minute: 1 min, 59 min, 2 h 5 min, 3 d 4 h."""
    return moments.duration(timedelta(minutes=length // timedelta(minutes=1) + 1))


def _number(number: int) -> str:
    return str(number_format(number, use_l10n=True, force_grouping=True))
