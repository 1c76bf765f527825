"""Dialogs of the desk: opened as a page of their own, they redirect to the conversation."""

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
    """Redirect a browser that opens the URL of a dialog in a tab, or returns to it after a login.

    It would show a fragment without its styles.
    """

    @wraps(view)
    def dialog(
        request: StaffRequest, number: int, *args: Others.args, **kwargs: Others.kwargs
    ) -> HttpResponse:
        if request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "document":
            return redirect("conversation", number)
        return view(request, number, *args, **kwargs)

    return dialog
