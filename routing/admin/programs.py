"""Administration of the accounts of programs and of their tokens."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import tokens
from accounts.logins.reauthentication import AsksAgain
from accounts.models import ApiToken, ServiceAccount, User
from accounts.rights import ForAdministrators
from accounts.widgets import CheckboxList
from routing import changes
from routing.admin.saving import Published


class ServiceAccountForm(forms.ModelForm):
    class Meta:
        model = ServiceAccount
        fields = ("first_name", "role", "is_active")
        labels = {"first_name": _("Name")}
        help_texts = {
            "first_name": _("Shown wherever the program acts."),
            "role": _("What its tokens can do at most."),
            "is_active": _("Deselect this to stop all of its tokens."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["first_name"].required = True


@admin.register(ServiceAccount)
class ServiceAccountAdmin(AsksAgain, Published, ForAdministrators, admin.ModelAdmin):
    """Programs with a role of their own; nobody can log in as one."""

    form = ServiceAccountForm
    list_display = ("first_name", "role", "is_active")
    list_filter = ("role", "is_active")
    search_fields = ("first_name",)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.is_service = True
            # Usernames are unique, and two programs may have the same name.
            obj.username = f"{slugify(obj.first_name)[:100]}-{secrets.token_hex(4)}"
            obj.password = make_password(None)
        super().save_model(request, obj, form, change)

    def published(self, account: User) -> None:
        changes.account_changed(account.pk)

    def removed(self, account: User) -> None:
        """Do nothing: one whose name is in a conversation's history cannot be deleted."""


class ApiTokenForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=_("Permissions"),
        choices=tokens.SCOPES,
        widget=CheckboxList(_("Permissions")),
        help_text=_("Writing includes reading."),
    )

    class Meta:
        model = ApiToken
        fields = ("name", "owner", "scopes", "websites", "expires_at")
        widgets = {"websites": CheckboxList(_("Websites"))}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields.keys() & {"owner", "websites"}:
            for what in ("add", "change", "delete", "view"):
                setattr(self.fields[name].widget, f"can_{what}_related", False)
        if expiry := self.fields.get("expires_at"):
            # Two fields with one label between them: each is named for those who hear the page.
            for part, label in zip(expiry.widget.widgets, (_("Date"), _("Time")), strict=True):
                part.attrs["aria-label"] = str(label)
        if owner := self.fields.get("owner"):
            # Programs first: a token of a person acts in that person's name.
            owner.queryset = User.objects.filter(is_active=True).order_by(  # type: ignore[attr-defined]
                "-is_service", "first_name", "username"
            )
            owner.label_from_instance = _owner_name  # type: ignore[attr-defined]


def _owner_name(user: User) -> str:
    name = user.get_full_name() or user.username
    role = user.get_role_display()
    return f"{name} · {_('Service account')} · {role}" if user.is_service else f"{name} · {role}"


@admin.register(ApiToken)
class ApiTokenAdmin(AsksAgain, ForAdministrators, admin.ModelAdmin):
    """Tokens that are made and shown once, and revoked, never changed."""

    form = ApiTokenForm
    list_display = (
        *("name", "owner_name", "permissions", "website_names"),
        *("standing", "expires_at", "last_used_at", "ending"),
    )
    list_display_links = None
    search_fields = ("name", "owner__username", "owner__first_name", "ending")
    fields = ("name", "owner", "scopes", "websites", "expires_at")
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill in nothing from the address: a link must not choose what somebody permits."""
        return {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        rows = super().get_queryset(request)
        return rows.select_related("owner").prefetch_related("websites")

    @admin.display(description=_("owner"), ordering="owner__username")
    def owner_name(self, token: ApiToken) -> str:
        return token.owner.get_full_name() or token.owner.username

    @admin.display(description=_("permissions"))
    def permissions(self, token: ApiToken) -> str:
        labels = dict(tokens.SCOPES)
        return ", ".join(str(labels.get(scope, scope)) for scope in token.scopes)

    @admin.display(description=_("websites"))
    def website_names(self, token: ApiToken) -> str:
        if token.has_every_website:
            return str(_("All"))
        return ", ".join(website.name for website in token.websites.all())

    @admin.display(description=_("state"))
    def standing(self, token: ApiToken) -> str:
        if token.revoked_at is not None:
            return str(_("Revoked"))
        return str(_("In use") if token.is_valid_at(timezone.now()) else _("Expired"))

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        given = form.cleaned_data
        token, text = tokens.make(
            given["owner"],
            name=given["name"],
            scopes=given["scopes"],
            websites=given["websites"],
            expires_at=given["expires_at"],
            at=timezone.now(),
        )
        obj.pk, obj.ending, obj.created_at = token.pk, token.ending, token.created_at
        obj.shown_once = text  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the token: the only page that ever does. It enters no message, URL or session."""
        context = self.admin_site.each_context(request) | {
            "title": _("The new API token"),
            "token": obj,
            "text": obj.shown_once,  # type: ignore[attr-defined]
            "opts": self.opts,
        }
        response = render(request, "admin/api_token.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description=_("Revoke these tokens now"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        count = tokens.revoke(queryset, at=timezone.now())
        text = ngettext(
            "%(count)d token is no longer accepted.",
            "%(count)d tokens are no longer accepted.",
            count,
        )
        self.message_user(request, text % {"count": count}, messages.SUCCESS)
