"""The strict reading of an address's parameters. An unknown or repeated one would silently open
something other than was meant (C61)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.access import StaffRequest
from accounts.models import Agent

ParameterErrors = Mapping[str, Collection[str]]
"""Errors by the name of the parameter, or of several together (``NON_FIELD_ERRORS``)."""
P = ParamSpec("P")
View = Callable[Concatenate[StaffRequest, P], HttpResponse]


class Misread(Exception):
    """An address whose parameters are invalid, so that its page or file would show something
    else."""

    def __init__(self, errors: ParameterErrors) -> None:
        self.errors = errors
        super().__init__(*sentences(errors))


def faults_of(
    data: QueryDict, known: Collection[str], *, many: Collection[str] = ()
) -> dict[str, str]:
    """Return the errors in the parameters' names: names that are not ``known``, and names that
    occur more than once without being in ``many``."""
    faults = {}
    for name, values in data.lists():
        if name not in known:
            faults[name] = _("The parameter “%(name)s” does not exist.") % {"name": name[:40]}
            if near := get_close_matches(name, known, n=1):
                faults[name] += " " + _("Did you mean “%(name)s”?") % {"name": near[0]}
        elif len(values) > 1 and name not in many:
            faults[name] = _("The parameter “%(name)s” appears more than once.") % {"name": name}
    return faults


def check(data: QueryDict, known: Collection[str], *, many: Collection[str] = ()) -> None:
    """Raise ``Misread`` if a name is unknown or repeated."""
    if faults := faults_of(data, known, many=many):
        raise Misread({name: [text] for name, text in faults.items()})


def sentences(errors: ParameterErrors, labels: Mapping[str, str] | None = None) -> list[str]:
    """Return each error as a sentence that names its parameter and the parameter's label on the
    page."""
    return [
        _sentence(name, text, (labels or {}).get(name, ""))
        for name, texts in errors.items()
        for text in texts
    ]


def _sentence(name: str, text: str, label: str) -> str:
    if name in {"", NON_FIELD_ERRORS} or name in text:
        return text
    if label:
        values = {"label": label, "name": name, "why": text}
        return _("%(label)s (“%(name)s”): %(why)s") % values
    return _("“%(name)s”: %(why)s") % {"name": name, "why": text}


def explained(view: View[P]) -> View[P]:
    """Answer a ``Misread`` with status 400 and a page that explains the errors."""

    @wraps(view)
    def guarded(request: StaffRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Misread as misread:
            context = {
                "sentences": sentences(misread.errors),
                "tab": "reports",
                "agent": Agent.objects.filter(user=request.user).first(),
            }
            return render(request, "reporting/misread.html", context, status=400)

    return guarded
