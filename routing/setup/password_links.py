"""The page with a fresh link for a user to choose a password."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from accounts import invitations
from accounts.models import User
from core.events import bus
from routing.facts import UserInvited


def password_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a fresh link to choose a password; a POST sends it by e-mail."""
    user = get_object_or_404(User, pk=pk)
    is_sent = invitations.is_sent_to(user)
    if request.method == "POST" and is_sent:
        bus.publish(UserInvited(user_id=user.pk))
        messages.success(request, _("The link is being sent to %(email)s.") % {"email": user.email})
        return redirect("admin:setup_user", user.pk)
    return TemplateResponse(
        request,
        "admin/setup/password_link.html",
        {
            **admin.site.each_context(request),
            "title": _("Password link for %(name)s")
            % {"name": user.get_full_name() or user.username},
            "invited": user,
            "is_sent": is_sent,
            "has_mail_server": settings.HAS_MAIL_SERVER,
            "link": request.build_absolute_uri(invitations.path_for(user)),
            "days": settings.PASSWORD_RESET_TIMEOUT // 86400,
        },
    )


def former_address(_request: HttpRequest, pk: int) -> HttpResponse:
    return redirect("admin:setup_user", pk, permanent=True)
