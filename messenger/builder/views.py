"""The builder's pages in the administration: the form, the preview, the contrast of a colour."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone, translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts import rights
from accounts.models import Website
from messenger.builder import preview_states
from messenger.builder.forms import LANGUAGES, BuilderForm
from messenger.colours import PAGE, contrast
from messenger.page import render_frame
from messenger.website_texts import texts_of

View = Callable[..., HttpResponse]
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
ENOUGH = {"light": 3.0, "dark": 2.0}
"""The contrast that a control needs with its surroundings (WCAG 2.2, 1.4.11). On dark pages a
light edge helps it, and the text on it always has 4.5:1."""


def urls(admin_view: Callable[[View], View]) -> list[URLPattern]:
    """Return the URL patterns below /admin/builder/."""
    views: list[tuple[str, View, str]] = [
        ("builder/contrast/", contrast_of, "builder_contrast"),
        ("builder/<int:pk>/", build, "builder"),
        ("builder/<int:pk>/preview/", preview, "builder_preview"),
    ]
    return [
        path(route, admin_view(for_administrators(view)), name=name) for route, view, name in views
    ]


def for_administrators(view: View) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not rights.administers(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return checked


def build(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form beside its preview; saved changes take effect at once (R216)."""
    website = get_object_or_404(Website.objects.select_related("sender"), pk=pk)
    form = BuilderForm(request.POST or None, instance=website)
    if request.method == "POST" and form.is_valid():
        form.store()
        messages.success(request, _("Saved. Visitors now see these changes."))
        return redirect("admin:builder", pk)
    context = admin.site.each_context(request) | {
        "title": _("Messenger of %(website)s") % {"website": website.name},
        "website": website,
        "form": form,
        "scenes": preview_states.NAMES,
        "contrast": describe_contrast(website.accent),
        "default_language": website.language,
    }
    return TemplateResponse(request, "admin/builder/page.html", context)


def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Render the real Messenger in a frame, in one of the states, with the unsaved form."""
    website = get_object_or_404(Website.objects.select_related("sender"), pk=pk)
    if request.method != "POST":
        raise Http404
    shown = BuilderForm(request.POST, instance=website).preview()
    wanted = request.POST.get("preview_language", "")
    language = wanted if wanted in LANGUAGES else website.language
    name = request.POST.get("preview_scene", "")
    if not COLOUR.fullmatch(shown.accent):
        shown.accent = str(Website._meta.get_field("accent").default)
    with translation.override(language):
        closing = texts_of(shown, language)["closing"]
        played = preview_states.scene(
            name if name in preview_states.NAMES else "begin", closing=closing, at=timezone.now()
        )
    played["email"] = "writes_mails" in request.POST
    response = render_frame(request, shown, language, rehearsal=played)
    response.xframe_options_exempt = True  # its frame-ancestors allow only us
    return response


def contrast_of(request: HttpRequest) -> HttpResponse:
    """Return the verdict on a colour while it is being chosen."""
    contrast = describe_contrast(request.GET.get("colour", ""))
    return JsonResponse({"text": contrast[0], "enough": contrast[1]})


def describe_contrast(colour: str) -> tuple[str, bool]:
    """Return how the button contrasts with light and dark pages, in words, and if that suffices."""
    if not COLOUR.fullmatch(colour):
        return _("This is not a valid colour."), False
    ratios = {name: contrast(colour, page) for name, page in PAGE.items()}
    figures = {name: number_format(ratio, 1) for name, ratio in ratios.items()}
    weak = [name for name, ratio in ratios.items() if ratio < ENOUGH[name]]
    if not weak:
        return _("Good contrast on light pages (%(light)s:1) and dark pages (%(dark)s:1).") % (
            figures
        ), True
    if weak == ["light"]:
        return _(
            "Low contrast on light pages: %(light)s:1, below the recommended 3:1. Choose "
            "a darker colour."
        ) % figures, False
    return _(
        "Low contrast on dark pages: %(dark)s:1, below the recommended 2:1. Choose a "
        "lighter colour."
    ) % figures, False
