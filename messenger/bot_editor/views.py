"""The editor's pages: the scenario with its picture, the live chat, versions and tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Skill, User
from core.rejection import Rejected
from core.text import strict_json
from messenger.bot_editor import chat, figures, page
from messenger.bot_editor.entries import entered, people_entered
from messenger.bot_editor.forms import KINDS, PeopleForm, StepForm
from messenger.builder.views import for_administrators
from messenger.page import render_frame
from routing.bots import editing, rehearsal, saved_tests, scenario, versions
from routing.bots.knowledge_answers import quote_for
from routing.bots.runner import languages_of
from routing.bots.scenario import Scenario
from routing.models import Bot, BotKind, BotTest, BotVersion, DistributionRule

View = Callable[..., HttpResponse]


def urls(admin_view: Callable[[View], View]) -> list[URLPattern]:
    """Return the URL patterns below /admin/scenarios/."""
    views: list[tuple[str, View, str]] = [
        ("scenarios/<int:pk>/", edit, "scenario"),
        ("scenarios/<int:pk>/change/", change, "scenario_change"),
        ("scenarios/<int:pk>/file/", export, "scenario_file"),
        ("scenarios/<int:pk>/import/", import_file, "scenario_import"),
        ("scenarios/<int:pk>/publish/", publish, "scenario_publish"),
        ("scenarios/<int:pk>/versions/<int:number>/", roll_back, "scenario_roll_back"),
        ("scenarios/<int:pk>/versions/<int:number>/figures/", figures.show, "scenario_figures"),
        ("scenarios/<int:pk>/figures/", figures.show_program, "program_figures"),
        ("scenarios/<int:pk>/chat/", live_chat, "scenario_chat"),
        ("scenarios/<int:pk>/chat/play/", play, "scenario_play"),
        ("scenarios/<int:pk>/tests/", save_test, "scenario_tests"),
        ("scenarios/<int:pk>/tests/<int:test>/", delete_test, "scenario_test"),
    ]
    return [
        path(route, admin_view(for_administrators(view)), name=name) for route, view, name in views
    ]


def _bot(pk: int) -> Bot:
    bots = Bot.objects.select_related("website", "published").filter(kind=BotKind.SCENARIO)
    return get_object_or_404(bots, pk=pk)


def _back(bot: Bot, step: str = "") -> HttpResponse:
    address = reverse("admin:scenario", args=[bot.pk])
    return redirect(f"{address}?{urlencode({'step': step})}#step" if step else address)


def _rules(bot: Bot) -> tuple[str, ...]:
    rules = DistributionRule.objects.filter(website=bot.website, is_enabled=True)
    return tuple(rules.values_list("name", flat=True))


def _form(bot: Bot, plan: Scenario, step: scenario.Step) -> StepForm:
    skills = Skill.objects.filter(website=bot.website)
    return StepForm(
        plan,
        step,
        languages_of(bot),
        _rules(bot),
        tuple(skills.values_list("name", flat=True)),
    )


@require_GET
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the draft: steps in reading order, the picture, the open step, chat and versions."""
    bot = _bot(pk)
    plan = versions.draft_of(bot)
    step = plan.steps.get(request.GET.get("step", ""))
    problems = versions.problems_of(bot, plan)
    context = admin.site.each_context(request) | {
        "title": _("Scenario of %(bot)s") % {"bot": bot.name},
        "bot": bot,
        "kinds": KINDS,
        "step": step,
        "form": _form(bot, plan, step).shown() if step else [],
        "people": PeopleForm(plan, languages_of(bot), _rules(bot)).shown(),
        "languages": [(code, page.language_name(code)) for code in languages_of(bot)],
        "can_undo": versions.can_undo(bot),
        "search": request.GET.get("q", ""),
    }
    context |= page.of_draft(bot, plan, problems, open_step=step["id"] if step else "")
    context |= page.of_versions(bot, plan)
    return TemplateResponse(request, "admin/bots/editor.html", context)


@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the draft: save, add, duplicate or delete a step, choose the first one, or undo."""
    bot = _bot(pk)
    plan = versions.draft_of(bot)
    action, step_id = request.POST.get("action", ""), request.POST.get("step", "")
    if action == "undo":
        versions.undo(bot)
        return _back(bot, step_id if step_id in versions.draft_of(bot).steps else "")
    if action not in ("add", "people") and step_id not in plan.steps:
        raise Http404
    data: dict[str, Any]
    match action:
        case "add":
            kind = request.POST.get("kind", "")
            if kind not in KINDS:
                raise Http404
            data, step_id = editing.added(plan, kind, after=step_id)
        case "duplicate":
            data, step_id = editing.duplicated(plan, step_id)
        case "remove":
            data, step_id = editing.removed(plan, step_id), ""
        case "start":
            data = dict(plan.data) | {"start": step_id}
        case "people":
            data = dict(plan.data) | {"people": people_entered(request.POST, languages_of(bot))}
        case "save":
            step = plan.steps[step_id]
            data = editing.replaced(plan, entered(step, request.POST, _form(bot, plan, step)))
        case _:
            raise Http404
    if _save(request, bot, data) and action in ("save", "people"):
        messages.success(request, _("Saved. Visitors see the published version until you publish."))
    return _back(bot, step_id)


def _save(request: HttpRequest, bot: Bot, data: object) -> bool:
    try:
        versions.save_draft(bot, data, at=timezone.now())
    except scenario.Invalid as invalid:
        values = {"place": invalid.place or "—", "problem": str(invalid)}
        messages.error(request, _("Not saved. %(place)s: %(problem)s") % values)
        return False
    return True


@require_GET
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """Download the draft as a file."""
    bot = _bot(pk)
    content = scenario.write(versions.draft_of(bot))
    name = f"scenario-{bot.pk}.json"
    return HttpResponse(
        content,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
def import_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Replace the draft by the scenario of a file."""
    bot = _bot(pk)
    file = request.FILES.get("file")
    content = file.read(scenario.SIZE_LIMIT + 1) if file else b""
    try:
        data = scenario.read(content).data
    except scenario.Invalid as invalid:
        values = {"place": invalid.place or "—", "problem": str(invalid)}
        messages.error(request, _("This file is not a scenario. %(place)s: %(problem)s") % values)
        return _back(bot)
    if _save(request, bot, data):
        messages.success(request, _("The file is the draft now. You can undo this."))
    return _back(bot)


@require_POST
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Publish the draft as a new version."""
    bot = _bot(pk)
    try:
        version = versions.publish(bot, user=cast(User, request.user), at=timezone.now())
    except Rejected as rejected:
        messages.error(request, rejected.text)
        return _back(bot)
    values = {"n": version.number}
    messages.success(request, _("Version %(n)d is published. New conversations use it.") % values)
    return _back(bot)


@require_POST
def roll_back(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Put an earlier version in force again."""
    bot = _bot(pk)
    try:
        versions.roll_back(bot, number)
    except BotVersion.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("Version %(n)d is in force again.") % {"n": number})
    return _back(bot)


@require_GET
def live_chat(request: HttpRequest, pk: int) -> HttpResponse:
    """Render the real Messenger in a frame, where it talks to the draft."""
    bot = _bot(pk)
    played = chat.settings_of(request.GET, languages_of(bot))
    config = {
        "script": static("bots/live_chat.js"),
        "url": reverse("admin:scenario_play", args=[bot.pk]),
        "csrf": get_token(request),
        "settings": request.GET.dict(),
        "conversation": chat.conversation(bot, at=timezone.now()),
        "failed": _("The draft could not be played."),
    }
    response = render_frame(request, bot.website, played.language, rehearsal=config)
    response.xframe_options_exempt = True  # its frame-ancestors allow only us
    return response


@require_POST
def play(request: HttpRequest, pk: int) -> HttpResponse:
    """Play the draft with what was written in the live chat; return all messages."""
    bot = _bot(pk)
    try:
        sent = strict_json.parse(request.body)
        said = [(uuid.UUID(one["id"]), str(one["text"])[:400]) for one in sent["said"]]
        given = {str(name): str(value) for name, value in sent["settings"].items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Http404 from None
    settings = chat.settings_of(given, languages_of(bot), [text for _id, text in said])
    settings = replace(
        settings, knowledge=lambda question: quote_for(bot.website, question, settings.language)
    )
    with translation.override(settings.language):
        played = rehearsal.play(versions.draft_of(bot), settings)
        return JsonResponse(
            chat.frames(bot, played, [one for one, _text in said], at=timezone.now())
        )


@require_POST
def save_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Save what was just tried in the live chat as a test conversation."""
    bot = _bot(pk)
    name = request.POST.get("name", "").strip()[:80]
    try:
        said = [str(text)[:400] for text in strict_json.parse(request.POST.get("said") or "[]")]
    except (ValueError, TypeError):
        raise Http404 from None
    if not name or not said or bot.tests.count() >= saved_tests.LIMIT:
        messages.error(request, _("Write something in the live chat first, and name the test."))
        return _back(bot)
    settings = chat.settings_of(request.POST, languages_of(bot), said[: rehearsal.SAID_LIMIT])
    saved_tests.record(bot, versions.draft_of(bot), settings, name=name, at=timezone.now())
    messages.success(request, _("Saved. It is played again each time you publish."))
    return _back(bot)


@require_POST
def delete_test(request: HttpRequest, pk: int, test: int) -> HttpResponse:
    """Delete a test conversation, or accept the way that it takes now."""
    bot = _bot(pk)
    saved = get_object_or_404(BotTest, pk=test, bot=bot)
    if request.POST.get("action") == "accept":
        played = rehearsal.play(versions.draft_of(bot), saved_tests.rehearsal_of(saved))
        saved.trail = list(played.trail)
        saved.save(update_fields=["trail"])
    else:
        saved.delete()
    return _back(bot)
