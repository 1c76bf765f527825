"""A recent proof of identity before what is important, as the pages ask for it."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.logins.reauthentication import is_fresh
from accounts.models import ApiToken


class FreshOrToken(BasePermission):
    """The view's ``important`` actions need a token, which is a proof of its own, or in a session a
    recent proof of identity."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in SAFE_METHODS or view.action not in view.important:
            return True
        return isinstance(request.auth, ApiToken) or is_fresh(request._request)
