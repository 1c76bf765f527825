"""Administration of accounts, and the record of changes to settings."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.contrib.auth.models import Group as PermissionGroup
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.change_texts import FieldChange, Reader
from accounts.logins import notices, second_factors, sessions
from accounts.logins.reauthentication import AsksAgain, ask_before
from accounts.models import Change, Login, LoginRule, User
from accounts.rights import ForAdministrators, ReadOnly

# Permissions follow roles (accounts.rights). Django's permission groups would have no effect.
admin.site.unregister(PermissionGroup)


class AccountForm(AdminUserCreationForm):
    """The form of a new account. Every account has a password, so there is no choice to offer."""

    usable_password = None  # type: ignore[assignment]  # removes the base class's field


class PasswordForm(AdminPasswordChangeForm):
    usable_password = None


class StaffUserAdmin(AsksAgain, ForAdministrators, UserAdmin):
    """Administration of accounts. ``routing.admin.people`` registers it and publishes changes."""

    list_display = ("username", "first_name", "last_name", "role", "is_active")
    list_filter = ("role", "is_active")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (
            gettext_lazy("Person"),
            {"fields": ("first_name", "last_name", "email", "language", "timezone")},
        ),
        (gettext_lazy("Rights"), {"fields": ("role", "is_active")}),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    actions = ("reset_factors", "end_sessions")
    add_form = AccountForm
    change_password_form = PasswordForm
    filter_horizontal = ()
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "password1", "password2", "role"),
            },
        ),
    )

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        return ask_before(request) or super().user_change_password(request, id, form_url)

    @admin.action(description=gettext_lazy("Reset the two-step login of the selected users"))
    def reset_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Take their second factors away, as when a phone is lost, and tell them."""
        for user in queryset:
            if second_factors.remove_all(user):
                notices.publish(user, notices.Event.FACTORS_RESET, request)
        self.message_user(request, _("The two-step login of the selected users has been reset."))

    @admin.action(description=gettext_lazy("Log the selected users out everywhere"))
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """End all of their sessions; their sockets close within seconds."""
        for user in queryset:
            sessions.end_others(user, but=request.session.session_key or "")
        self.message_user(request, _("The selected users have been logged out."))


@admin.register(LoginRule)
class LoginRuleAdmin(AsksAgain, ForAdministrators, admin.ModelAdmin):
    """What the logins of each role must have; one rule for each role."""

    list_display = ("__str__", "needs_second_factor", "needs_single_sign_on", "idle", "longest")
    fields = ("needs_second_factor", "needs_single_sign_on", "idle_minutes", "longest_hours")
    actions = None

    @admin.display(description=gettext_lazy("idle (minutes)"), empty_value="–")
    def idle(self, rule: LoginRule) -> int | None:
        return rule.idle_minutes

    @admin.display(description=gettext_lazy("maximum (hours)"))
    def longest(self, rule: LoginRule) -> int:
        return rule.longest_hours

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# The login library's names of proofs.
PROOFS = {
    "password": gettext_lazy("Password"),
    "password_reset": gettext_lazy("Link by e-mail"),
    "totp": gettext_lazy("Authenticator app"),
    "webauthn": gettext_lazy("Passkey"),
    "single_sign_on": gettext_lazy("Single sign-on"),
    "recovery_codes": gettext_lazy("Recovery codes"),
}


@admin.register(Login)
class LoginAdmin(ReadOnly, admin.ModelAdmin):
    """The record of logins and of failed ones: user, time, address. Read-only."""

    list_display = ("at", "user", "outcome", "proofs", "device", "address")
    list_display_links = None
    list_filter = ("outcome",)
    date_hierarchy = "at"
    search_fields = ("user__username",)
    list_select_related = ("user",)

    @admin.display(description=gettext_lazy("proof"), empty_value="–")
    def proofs(self, login: Login) -> str:
        return ", ".join(str(PROOFS.get(name, name)) for name in login.method.split(", "))

    list_per_page = 50


class OfSetting(admin.SimpleListFilter):
    """A filter by the kind of setting."""

    title = gettext_lazy("setting")
    parameter_name = "setting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        reader = Reader()
        labels = Change.objects.order_by("model").values_list("model", flat=True).distinct()
        return sorted(
            ((label, reader.kind(label)) for label in labels), key=lambda item: item[1].lower()
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Change]) -> QuerySet[Change]:
        label = self.value()
        return queryset.filter(model=label) if label else queryset


class ByUser(admin.SimpleListFilter):
    """A filter by the author of the change. Changes without an author were made by the system."""

    title = gettext_lazy("person")
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        # DISTINCT ON keeps the first row of each actor: the newest, with the name of today.
        people = Change.objects.exclude(actor_id=None).order_by("actor_id", "-id")
        named = people.distinct("actor_id").values_list("actor_id", "actor")
        return [("system", _("the system")), *((str(pk), name) for pk, name in named)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Change]) -> QuerySet[Change]:
        actor_id = self.value()
        if actor_id == "system":
            return queryset.filter(actor_id=None)
        if actor_id and actor_id.isascii() and actor_id.isdigit():
            return queryset.filter(actor_id=int(actor_id))
        return queryset


class AboutObject(admin.SimpleListFilter):
    """A filter for the history of one object and its parts, linked from the object's page."""

    title = gettext_lazy("object")
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = self.value()
        named = self._changes().first() if value else None
        return [(value, Reader().subject(named))] if value and named else []

    def _changes(self) -> QuerySet[Change]:
        label, _colon, pk = (self.value() or "").partition(":")
        # PostgreSQL raises an error for a number beyond bigint.
        if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
            return Change.objects.none()
        own = Q(model=label, object_id=int(pk))
        return Change.objects.filter(own | Q(owner_model=label, owner_id=int(pk)))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Change]) -> QuerySet[Change]:
        return queryset.filter(pk__in=self._changes().values("pk")) if self.value() else queryset


class DescribedChanges(ChangeList):
    """A page of the record, with each change described in words."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        reader = Reader()
        # A list, because the descriptions are put on these very objects.
        self.result_list = list(self.result_list)
        for change in self.result_list:
            change.subject = reader.subject(change)
            change.lines = reader.lines(change)


@admin.register(Change)
class ChangeAdmin(ReadOnly, admin.ModelAdmin):
    """The record of changes: who changed what, when, from what to what. Read-only."""

    list_display = ("at", "who", "kind", "what", "how")
    list_display_links = None
    list_filter = (AboutObject, OfSetting, ByUser, "kind")
    date_hierarchy = "at"
    search_fields = ("name", "actor")
    list_per_page = 50
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DescribedChanges

    @admin.display(description=gettext_lazy("person"))
    def who(self, change: Change) -> str:
        return change.actor or _("the system")

    @admin.display(description=gettext_lazy("setting"))
    def what(self, change: Change) -> str:
        return str(change.subject)  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("before and after"))
    def how(self, change: Change) -> SafeString:
        lines: list[FieldChange] = change.lines  # type: ignore[attr-defined]
        return format_html(
            '<dl class="diff">{}</dl>',
            format_html_join(
                "", "<div><dt>{}</dt><dd>{}</dd></div>", map(_before_and_after, lines)
            ),
        )


def _before_and_after(line: FieldChange) -> tuple[str, SafeString]:
    before = format_html("<del>{}</del>", line.before) if line.before else ""
    after = format_html("<ins>{}</ins>", line.after) if line.after else ""
    arrow = " → " if before and after else ""
    return line.label, format_html("{}{}{}", before, arrow, after)
