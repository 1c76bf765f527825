"""Administration of the secrets with which a website's server signs its customers' identity."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import identities
from accounts.logins.reauthentication import AsksAgain
from accounts.models import IdentitySecret
from accounts.rights import ForAdministrators


@admin.register(IdentitySecret)
class IdentitySecretAdmin(AsksAgain, ForAdministrators, admin.ModelAdmin):
    """Secrets that are made and shown once; they are replaced, never changed (C14)."""

    list_display = ("website", "created_at", "standing", "ends_at")
    list_filter = ("website",)
    list_select_related = ("website",)
    list_display_links = None
    fields = ("website",)
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("state"))
    def standing(self, secret: IdentitySecret) -> str:
        if secret.ends_at is None:
            return str(_("In use"))
        is_over = secret.ends_at <= timezone.now()
        return str(_("No longer accepted") if is_over else _("Replaced, still accepted"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # Not saved as it is: the secrets before this one must end.
        secret = identities.rotate(obj.website, at=timezone.now())
        obj.pk, obj.secret, obj.created_at = secret.pk, secret.secret, secret.created_at

    def response_add(
        self, request: HttpRequest, obj: IdentitySecret, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret: the only page that ever does. It enters no message, URL or session."""
        context = self.admin_site.each_context(request) | {
            "title": _("The new identity secret"),
            "website": obj.website,
            "secret": obj.secret.reveal(),
            "opts": self.opts,
        }
        response = render(request, "admin/identity_secret.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description=_("Revoke these secrets now"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[IdentitySecret]) -> None:
        count = identities.revoke(queryset, at=timezone.now())
        text = ngettext(
            "%(count)d secret is no longer accepted.",
            "%(count)d secrets are no longer accepted.",
            count,
        )
        self.message_user(request, text % {"count": count}, messages.SUCCESS)
