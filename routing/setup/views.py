"""The guided set-up: website, group, rule, team and the code to embed, in under five minutes.

Each step saves real rows, and the set-up resumes where something is missing: there is no draft to
lose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import invitations, rights
from accounts.logins.reauthentication import ask_before
from accounts.models import Agent, Group, User, Website
from core.events import bus
from routing import changes, install_check, page_links, provisioning
from routing.facts import UserInvited
from routing.models import DistributionRule, RuleStep
from routing.setup import password_links
from routing.setup.forms import (
    ColleagueForm,
    ColleagueSet,
    GroupForm,
    RuleForm,
    TeamForm,
    WebsiteForm,
)

View = Callable[..., HttpResponse]
STEPS = (
    ("website", gettext_lazy("Website")),
    ("group", gettext_lazy("Group")),
    ("rule", gettext_lazy("Rule")),
    ("team", gettext_lazy("Team")),
    ("embed", gettext_lazy("On your pages")),
)


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One step of the guided set-up, or one line of the index's guide."""

    name: str
    label: Any
    url: str
    is_done: bool


def urls(admin_view: Callable[[View], View]) -> list[URLPattern]:
    """Return the URL patterns below /admin/setup/."""
    gives_access: set[View] = {team_step, password_links.password_link}
    views: list[tuple[str, View, str]] = [
        ("setup/", website_step, "setup"),
        ("setup/<int:pk>/", resume, "setup_resume"),
        ("setup/<int:pk>/website/", website_step, "setup_website"),
        ("setup/<int:pk>/group/", group_step, "setup_group"),
        ("setup/<int:pk>/rule/", rule_step, "setup_rule"),
        ("setup/<int:pk>/team/", team_step, "setup_team"),
        ("setup/<int:pk>/embed/", embed_step, "setup_embed"),
        ("setup/<int:pk>/seen/", seen, "setup_seen"),
        ("setup/user/<int:pk>/", password_links.password_link, "setup_user"),
        # The address of this page in 0.2, which bookmarks may hold.
        ("setup/person/<int:pk>/", password_links.former_address, "setup_person"),
    ]
    return [
        path(
            route, admin_view(_for_administrators(view, asks_again=view in gives_access)), name=name
        )
        for route, view, name in views
    ]


def _for_administrators(view: View, *, asks_again: bool) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not rights.administers(request.user):
            raise Http404
        asked = ask_before(request) if asks_again else None
        return asked or view(request, *args, **kwargs)

    return checked


def steps_of(website: Website | None) -> list[SetupStep]:
    """Return the steps of the set-up, with those that the website has done."""
    if website is None:
        return [SetupStep(name, label, "", False) for name, label in STEPS]
    done = {
        "website": True,
        "group": website.groups.exists(),
        "rule": website.rules.exists(),
        "team": Agent.objects.filter(groups__website=website).exists(),
        "embed": install_check.last_seen(website.pk) is not None,
    }
    return [
        SetupStep(name, label, reverse(f"admin:setup_{name}", args=[website.pk]), done[name])
        for name, label in STEPS
    ]


def unfinished() -> QuerySet[Website]:
    """Return the websites whose set-up was started and left."""
    of = {"website": OuterRef("pk")}
    has_all = (
        Exists(Group.objects.filter(**of))
        & Exists(DistributionRule.objects.filter(**of))
        & Exists(Agent.objects.filter(groups__website=OuterRef("pk")))
    )
    return Website.objects.filter(~Q(has_all))


def steps_for(user: User) -> list[SetupStep]:
    """Return the tasks of this user's role here, in order."""
    groups = reverse("admin:accounts_group_changelist")
    agents = reverse("admin:accounts_agent_changelist")
    if not rights.administers(user):
        return [
            SetupStep("members", _("Choose the members of your groups"), groups, False),
            SetupStep(
                "hours", _("Set the opening hours and holidays of your groups"), groups, False
            ),
            SetupStep(
                "slots",
                _("Set how many conversations each agent can hold at the same time"),
                agents,
                False,
            ),
        ]
    return [
        SetupStep(
            "websites", _("Set up a website"), reverse("admin:setup"), Website.objects.exists()
        ),
        SetupStep(
            "agents",
            _("Set the slots and skills of agents and add them to groups"),
            agents,
            Agent.objects.filter(groups__isnull=False).exists(),
        ),
        SetupStep(
            "rules",
            _("Set how conversations are distributed and how many can wait"),
            reverse("admin:routing_distributionrule_changelist"),
            RuleStep.objects.exists(),
        ),
        SetupStep(
            "targeting",
            _("Choose the pages on which visitors are engaged"),
            reverse("admin:routing_targetingrule_changelist"),
            DistributionRule.objects.filter(targeting_rules__isnull=False).exists(),
        ),
        SetupStep("watch", _("Monitor the queues"), page_links.BOARD.url(), False),
    ]


def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Redirect to the first step that is not done."""
    website = get_object_or_404(Website, pk=pk)
    steps = steps_of(website)
    return redirect(next((step.url for step in steps if not step.is_done), steps[-1].url))


def website_step(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Step 1. Without ``pk`` it creates a website."""
    website = get_object_or_404(Website, pk=pk) if pk else None
    initial = (
        {} if website else {"language": translation.get_language(), "time_zone": _zone(request)}
    )
    form = WebsiteForm(request.POST or None, instance=website, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        changes.website_changed(saved.pk)
        return redirect("admin:setup_group", saved.pk)
    return _page(request, "website", website, form=form)


def _zone(request: HttpRequest) -> str:
    return str(getattr(request.user, "timezone", "") or settings.TIME_ZONE)


def group_step(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 2: the first group."""
    website = get_object_or_404(Website, pk=pk)
    group = website.groups.order_by("pk").first()
    # The name is for the team of the website, not for whoever sets it up.
    with translation.override(website.language):
        proposed = _("Response team")
    others = website.groups.exclude(pk=group.pk) if group else website.groups.all()
    form = GroupForm(
        request.POST or None,
        initial={"name": group.name if group else proposed},
        taken=set(others.values_list("name", flat=True)),
    )
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        if group is None:
            provisioning.create_group(website, name=name)
        else:
            group.name = name
            group.save(update_fields=["name"])
            changes.group_changed(group.pk)
        return redirect("admin:setup_rule", website.pk)
    return _page(request, "group", website, form=form)


def rule_step(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 3: the first rule, with its places."""
    website = get_object_or_404(Website, pk=pk)
    group = website.groups.order_by("pk").first()
    if group is None:
        return redirect("admin:setup_group", website.pk)
    rule = website.rules.order_by("pk").first()
    queue = rule.steps.first() if rule else None
    others = website.rules.exclude(pk=rule.pk) if rule else website.rules.all()
    with translation.override(website.language):
        initial: dict[str, Any] = {"name": _("to the response team")}  # R210
    if rule and queue:
        initial = {"name": rule.name, "places": queue.places}
    taken = set(others.values_list("name", flat=True))
    form = RuleForm(request.POST or None, initial=initial, taken=taken)
    if request.method == "POST" and form.is_valid():
        name, places = form.cleaned_data["name"], form.cleaned_data["places"]
        if rule is None:
            provisioning.create_rule(website, name=name, queues=[(group, places)])
        else:
            rule.name = name
            rule.save(update_fields=["name"])
            RuleStep.objects.update_or_create(
                pk=queue.pk if queue else None,
                defaults={"places": places},
                create_defaults={"rule": rule, "group": group, "position": 1, "places": places},
            )
            changes.rule_changed(website.pk)
        return redirect("admin:setup_team", website.pk)
    return _page(request, "rule", website, form=form, group=group)


def team_step(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 4: who answers; each new user gets a link to choose a password."""
    website = get_object_or_404(Website, pk=pk)
    group = website.groups.order_by("pk").first()
    if group is None:
        return redirect("admin:setup_group", website.pk)
    user = request.user
    assert isinstance(user, User)
    members = group.members.select_related("user").order_by("display_name", "pk")
    is_member = members.filter(user=user).exists()
    known = Agent.objects.exclude(groups=group).exclude(user=user).filter(user__is_active=True)
    form = TeamForm(request.POST or None, known=known)
    colleagues = ColleagueSet(request.POST or None, prefix="people")
    if request.method == "POST" and form.is_valid() and colleagues.is_valid():
        if form.cleaned_data["myself"] and not is_member:
            _let_in([Agent.objects.filter(user=user).first() or _own_desk(user)], group)
        _let_in(form.cleaned_data["known"], group)
        new = [_welcome(one, group) for one in colleagues if one.has_changed()]
        if not all(invitations.is_sent_to(colleague) for colleague in new):
            messages.info(
                request, _("Give each new colleague the link shown below, then continue.")
            )
            return redirect("admin:setup_team", website.pk)
        if "more" in request.POST or not group.members.exists():
            if not group.members.exists():
                messages.warning(request, _("Add at least one person to answer conversations."))
            return redirect("admin:setup_team", website.pk)
        return redirect("admin:setup_embed", website.pk)
    return _page(
        request,
        "team",
        website,
        form=form,
        colleagues=colleagues,
        members=[(agent, _link(request, agent.user)) for agent in members],
        has_links=any(not agent.user.has_usable_password() for agent in members),
        has_mail_server=settings.HAS_MAIL_SERVER,
        is_member=is_member,
        known=known,
    )


def _own_desk(user: User) -> Agent:
    return provisioning.create_agent(user, display_name=user.get_full_name() or user.username)


def _let_in(agents: Iterable[Agent], group: Group) -> None:
    for agent in agents:
        group.members.add(agent)
        changes.agent_changed(agent.pk)
    changes.group_changed(group.pk)


def _welcome(colleague: ColleagueForm, group: Group) -> User:
    """Create an agent; invite them if they have an e-mail address. Return their account."""
    data = colleague.cleaned_data
    first, _space, last = data["name"].partition(" ")
    agent = provisioning.create_user(
        username=colleague.username,
        display_name=first,
        first_name=first,
        last_name=last,
        email=data["email"],
        slots=data["slots"],
        groups=[group],
    )
    if invitations.is_sent_to(agent.user):
        bus.publish(UserInvited(user_id=agent.user_id))
    return agent.user


def embed_step(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 5: the code for the brand's pages, and whether it has been seen there."""
    website = get_object_or_404(Website, pk=pk)
    return _page(
        request,
        "embed",
        website,
        script=request.build_absolute_uri("/embed.js"),
        seen=_seen(website),
        pages=[_address(domain) for domain in website.domains if not domain.startswith("*")],
        waiting=_awaited(website),
    )


def seen(request: HttpRequest, pk: int) -> HttpResponse:
    """The same as JSON, for the page's script."""
    return JsonResponse({"seen": _seen(get_object_or_404(Website, pk=pk))})


def _seen(website: Website) -> str:
    last_seen = install_check.last_seen(website.pk)
    if last_seen is None:
        return ""
    moment = formats.date_format(timezone.localtime(last_seen.at), "SHORT_DATETIME_FORMAT")
    return _("Seen on %(host)s, %(moment)s.") % {"host": last_seen.host, "moment": moment}


def _awaited(website: Website) -> str:
    """Return how many must still choose a password before the team is complete."""
    members = User.objects.filter(agent__groups__website=website).distinct()
    missing = sum(not user.has_usable_password() for user in members)
    return (
        ngettext(
            "%(n)d person has not chosen a password yet.",
            "%(n)d people have not chosen a password yet.",
            missing,
        )
        % {"n": missing}
        if missing
        else ""
    )


def _address(domain: str) -> str:
    is_local = urlsplit(f"//{domain}").hostname in {"localhost", "127.0.0.1", "::1"}
    return f"{'http' if is_local else 'https'}://{domain}/"


def _link(request: HttpRequest, user: User) -> str:
    """Return the link to choose a password, for a user who cannot log in yet."""
    if user.has_usable_password():
        return ""
    return request.build_absolute_uri(invitations.path_for(user))


def _page(
    request: HttpRequest, step: str, website: Website | None, **context: Any
) -> TemplateResponse:
    return TemplateResponse(
        request,
        f"admin/setup/{step}.html",
        {
            **admin.site.each_context(request),
            "title": website.name if website else _("Set up a website"),
            "website": website,
            "steps": steps_of(website),
            "step": step,
            **context,
        },
    )
