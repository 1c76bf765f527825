"""Dialogs lie over the desk: what is asked as a page of its own leads to the conversation."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpResponse
from django.shortcuts import redirect

from accounts.access import StaffRequest

Others = ParamSpec("Others")
Dialog = Callable[Concatenate[StaffRequest, int, Others], HttpResponse]


def over_the_desk(view: Dialog[Others]) -> Dialog[Others]:
    """Redirect a browser that opens the address of a dialog in a tab, or comes back to it after
    a login: it would show a fragment without its styles."""

    @wraps(view)
    def dialog(
        request: StaffRequest, number: int, *args: Others.args, **kwargs: Others.kwargs
    ) -> HttpResponse:
        if request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "document":
            return redirect("conversation", number)
        return view(request, number, *args, **kwargs)

    return dialog
