"""The admin site: who may enter, in whose name changes are recorded, and an index that shows what
to do in which order."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts import rights
from accounts.access import zone_of
from accounts.audit import acting
from accounts.change_texts import Reader
from accounts.models import Change, User, Website
from config.version import version
from messenger.bot_editor import views as bot_editor
from messenger.builder import views as builder
from routing import advice
from routing.setup import views as setup

# The sections of the index, in the order in which a website is set up (R209). A model that is not
# listed is shown at the end.
SECTIONS = (
    (
        "websites",
        _("Websites"),
        (
            "accounts.website",
            "accounts.holiday",
            "accounts.identitysecret",
            "accounts.toolbarapp",
            "messenger.sender",
        ),
    ),
    (
        "team",
        _("Team"),
        (
            "accounts.user",
            "accounts.loginrule",
            "accounts.identityprovider",
            "accounts.agent",
            "accounts.group",
            "accounts.skill",
        ),
    ),
    (
        "engagement",
        _("Engagement"),
        (
            "routing.targetingrule",
            "routing.distributionrule",
            "routing.bot",
            "conversations.suggestionsettings",
            "conversations.languagemodelsettings",
            "conversations.article",
            "conversations.tag",
            "conversations.block",
        ),
    ),
    (
        "programs",
        _("Other programs"),
        (
            "accounts.apitoken",
            "accounts.serviceaccount",
            "reporting.shopkey",
            "conversations.inbox",
            "conversations.webhook",
            "conversations.webhookdelivery",
        ),
    ),
    (
        "record",
        _("Activity"),
        (
            "accounts.change",
            "accounts.login",
            "conversations.person",
            "conversations.visitor",
            "conversations.erasure",
            "conversations.conversation",
            "conversations.message",
            "conversations.event",
            "conversations.languagemodelcall",
            "conversations.writingaid",
            "conversations.mirrorlook",
            "conversations.cobrowsingsession",
            "messenger.mail",
            "messenger.reply",
            "conversations.inboundmessage",
            "conversations.outboundmessage",
            "reporting.transaction",
        ),
    ),
)
SAFE = {"GET", "HEAD", "OPTIONS"}
RECENT = 8


class Administration(AdminSite):
    """Django's admin site, with our roles, record of changes and index."""

    site_header = site_title = "Causerie"
    index_title = _("Settings")
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return rights.oversees(request.user)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            *setup.urls(self.admin_view),
            *builder.urls(self.admin_view),
            *bot_editor.urls(self.admin_view),
        ]
        return [*own, *super().get_urls()]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Render every page in the reader's time zone; run every change in one transaction, with
        its author."""

        @wraps(view)
        def signed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = request.user
            if isinstance(user, AnonymousUser):
                return view(request, *args, **kwargs)  # type: ignore[no-any-return]
            with timezone.override(zone_of(user)):
                if request.method in SAFE:
                    answer = view(request, *args, **kwargs)
                else:
                    with acting(user):
                        answer = view(request, *args, **kwargs)
                if isinstance(answer, TemplateResponse):
                    _advise(answer, user)
                    answer.render()  # in this time zone
            return answer  # type: ignore[no-any-return]

        return super().admin_view(signed, cacheable)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Answer nobody: no form completes fields, and Django's view would search every model."""
        raise Http404

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        models = {
            model["model"]._meta.label_lower: model for app in apps for model in app["models"]
        }
        sections = [
            _section(label, name, [models.pop(key) for key in keys if key in models])
            for label, name, keys in SECTIONS
        ]
        sections.append(_section("other", _("Other"), list(models.values())))
        return [section for section in sections if section["models"]]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        user = request.user
        assert isinstance(user, User)
        administers = rights.administers(user)
        reader = Reader()
        recent = Change.objects.all()[:RECENT] if administers else []
        return super().index(
            request,
            {
                "version": version(),
                "steps": setup.steps_for(user),
                "drafts": setup.unfinished() if administers else [],
                "is_new": administers and not Website.objects.exists(),
                "recent": [(change, reader.subject(change)) for change in recent],
                "warnings": advice.for_user(user, at=timezone.now()),
                **(extra_context or {}),
            },
        )


def _advise(page: TemplateResponse, user: User) -> None:
    """Title an object's page with its model's name, and add warnings about settings that defeat
    each other."""
    context = page.context_data or {}
    original = context.get("original")
    if isinstance(original, Model) and ("adminform" in context or "cl" in context):
        context["title"] = capfirst(original._meta.verbose_name)
    elif "cl" in context:
        context["title"] = capfirst(context["cl"].opts.verbose_name_plural)
    if isinstance(original, Model) and "adminform" in context:
        context["warnings"] = advice.about(original, user, at=timezone.now())


def _section(label: str, name: object, models: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "app_label": label,
        "app_url": f"{reverse('admin:index')}#{label}",
        "has_module_perms": True,
        "models": models,
    }
