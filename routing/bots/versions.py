"""Drafts and versions of scenarios: saving, undoing, publishing, rolling back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import READ_ONLY_ROLES, AgentChannel, Skill, User
from accounts.models.websites import is_among
from conversations.knowledge import articles
from core import web_addresses
from core.rejection import Rejected
from routing import changes
from routing.bots import saved_tests, scenario
from routing.bots.checks import Problem, Surroundings, find_problems
from routing.bots.runner import languages_of
from routing.bots.scenario import Scenario
from routing.models import Bot, BotDraft, BotVersion, DistributionRule, RuleStep

DRAFTS = 50  # states of a draft that can be undone


class NotFit(Rejected):
    """The draft cannot be published: it has problems, or test conversations that break."""

    def __init__(self) -> None:
        super().__init__("not_fit", _("The draft cannot be published yet."), 409)


def starter(languages: tuple[str, ...]) -> dict[str, Any]:
    """Return the scenario with which a new bot begins: a question, and the way to people."""

    def texts(text: str) -> dict[str, str]:
        texts = {}
        for language in languages:
            with translation.override(language):
                texts[language] = _(text)
        return texts

    # gettext collects its texts here: _("How can we help you?") _("Talk to a person")
    return {
        "format": scenario.FORMAT,
        "start": "topic",
        "steps": [
            {
                "id": "topic",
                "kind": "ask",
                "answer": "choice",
                "name": "topic",
                "text": texts("How can we help you?"),
                "choices": [{"text": texts("Talk to a person"), "next": "people"}],
                "failed": "people",
            },
            {"id": "people", "kind": "escalate", "summary": True},
        ],
    }


def draft_of(bot: Bot) -> Scenario:
    """Return the draft: what was saved last, else the published version, else the starter."""
    languages = languages_of(bot)
    last = bot.drafts.order_by("-number").first()
    if last is not None:
        return Scenario(last.scenario, languages)
    if bot.published is not None:
        return Scenario(bot.published.scenario, languages)
    return Scenario(starter(languages), languages)


@transaction.atomic
def save_draft(bot: Bot, data: object, *, at: datetime) -> Scenario:
    """Store ``data`` as the draft; raise ``scenario.Invalid`` if it is no scenario. What is the
    draft already is not stored again."""
    plan = scenario.check(data, languages_of(bot))
    Bot.objects.select_for_update(no_key=True).get(pk=bot.pk)
    if not bot.drafts.exists():
        # What the first change can be undone to.
        first = dict(draft_of(bot).data)
        BotDraft.objects.create(bot=bot, number=1, scenario=first, saved_at=at)
    last = bot.drafts.order_by("-number").first()
    assert last is not None
    if last.scenario != plan.data:
        number = last.number + 1
        BotDraft.objects.create(bot=bot, number=number, scenario=plan.data, saved_at=at)
        bot.drafts.filter(number__lte=number - DRAFTS).delete()
    return plan


def can_undo(bot: Bot) -> bool:
    return bot.drafts.count() > 1


@transaction.atomic
def undo(bot: Bot) -> bool:
    """Return to the draft as it was before the last change; return whether there was one."""
    Bot.objects.select_for_update(no_key=True).get(pk=bot.pk)
    last = list(bot.drafts.order_by("-number")[:2])
    if len(last) < 2:
        return False
    last[0].delete()
    return True


def problems_of(bot: Bot, plan: Scenario) -> list[Problem]:
    """Return what stops the publication of a scenario of this bot, and warnings."""
    return find_problems(plan, surroundings_of(bot))


@transaction.atomic
def publish(bot: Bot, *, user: User | None, at: datetime) -> BotVersion:
    """Publish the draft as a new version; raise ``NotFit`` if something is wrong with it.

    Conversations that have begun finish with their version.
    """
    Bot.objects.select_for_update(no_key=True).get(pk=bot.pk)
    plan = draft_of(bot)
    has_problems = any(not problem.is_warning for problem in problems_of(bot, plan))
    if has_problems or saved_tests.broken(bot, plan):
        raise NotFit
    last = bot.versions.order_by("-number").first()
    version = BotVersion.objects.create(
        bot=bot,
        number=last.number + 1 if last else 1,
        scenario=plan.data,
        published_at=at,
        published_by=user,
    )
    _put_in_force(bot, version)
    return version


@transaction.atomic
def roll_back(bot: Bot, number: int) -> BotVersion:
    """Put an earlier version in force again, for conversations that begin from now on. The draft
    stays as it is. Raise ``DoesNotExist`` for a number that the bot does not have."""
    version = bot.versions.get(number=number)
    _put_in_force(bot, version)
    return version


def _put_in_force(bot: Bot, version: BotVersion) -> None:
    bot.published = version
    bot.save(update_fields=["published"])
    changes.rule_changed(bot.website_id)


def surroundings_of(bot: Bot) -> Surroundings:
    """Return what a scenario of this bot can use of its website."""
    website = bot.website
    rules = {
        rule.name: _can_ever_take(rule)
        for rule in DistributionRule.objects.filter(website=website, is_enabled=True)
    }
    own = [_can_ever_take(rule) for rule in bot.rules.filter(is_enabled=True)]
    rules[""] = all(own)
    return Surroundings(
        languages=languages_of(bot),
        rules=rules,
        skills=frozenset(Skill.objects.filter(website=website).values_list("name", flat=True)),
        has_knowledge=articles.public_of(website).exists(),
        may_show=lambda url: is_among(web_addresses.host_of(url), website.domains),
    )


def _can_ever_take(rule: DistributionRule) -> bool:
    """Return whether a queue of the rule has places, or members who can have conversations."""
    slots = AgentChannel.objects.filter(
        Q(agent__user__is_superuser=True) | ~Q(agent__user__role__in=READ_ONLY_ROLES),
        agent__groups=OuterRef("group"),
        slots__gt=0,
        agent__user__is_active=True,
    )
    able = RuleStep.objects.filter(rule=rule).filter(Q(places__gt=0) | Exists(slots))
    return able.exists()
