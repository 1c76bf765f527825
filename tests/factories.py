"""Rows for tests; the verbs bring conversations to their states."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import Agent, AgentChannel, Channel, Group, Role, Skill, User, Website
from conversations.knowledge import articles
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import Status
from conversations.models import (
    Article,
    ArticleState,
    Audience,
    CloseReason,
    Consent,
    Conversation,
    Style,
    Tag,
    Visitor,
)
from messenger.website_texts import sha256_of, texts_of
from routing.models import (
    Bot,
    BotKind,
    BotVersion,
    DeskConnection,
    DeskPresence,
    DistributionRule,
    RuleStep,
    TargetingRule,
)
from tests.clock import NOW

PASSWORD = "correct horse"


class WebsiteFactory(DjangoModelFactory):
    class Meta:
        model = Website

    key = factory.Sequence(lambda n: f"site{n}")
    name = factory.Sequence(lambda n: f"Maison {n}")
    domains = ["localhost"]


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"user{n}")
    role = Role.AGENT

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        kwargs.setdefault("password", PASSWORD)
        return model_class.objects.create_user(*args, **kwargs)


class AgentFactory(DjangoModelFactory):
    """An agent with ``slots`` on chat; not connected; available if ``available``."""

    class Meta:
        model = Agent

    slots = 3
    available = True
    user = factory.SubFactory(UserFactory)
    display_name = factory.Sequence(lambda n: f"Agent {n}")

    @classmethod
    def _create(cls, model_class: type[Agent], *args: Any, **kwargs: Any) -> Agent:
        slots, available = kwargs.pop("slots"), kwargs.pop("available")
        agent: Agent = super()._create(model_class, *args, **kwargs)
        AgentChannel.objects.create(
            agent=agent,
            channel=Channel.CHAT,
            slots=slots,
            is_available=available,
            available_changed_at=NOW,
        )
        return agent


class GroupFactory(DjangoModelFactory):
    class Meta:
        model = Group
        skip_postgeneration_save = True

    website = factory.SubFactory(WebsiteFactory)
    name = factory.Sequence(lambda n: f"Group {n}")

    @factory.post_generation
    def members(self, create: bool, extracted: list[Agent] | None) -> None:
        if create and extracted:
            self.members.set(extracted)


class SkillFactory(DjangoModelFactory):
    class Meta:
        model = Skill

    website = factory.SubFactory(WebsiteFactory)
    name = factory.Sequence(lambda n: f"Skill {n}")


class BotFactory(DjangoModelFactory):
    """A bot of a program outside, or one with the published ``scenario``."""

    class Meta:
        model = Bot
        skip_postgeneration_save = True

    website = factory.SubFactory(WebsiteFactory)
    name = factory.Sequence(lambda n: f"Bot {n}")
    kind = BotKind.PROGRAM

    @factory.post_generation
    def scenario(self, create: bool, extracted: dict[str, Any] | None) -> None:
        if create and extracted:
            self.kind = BotKind.SCENARIO
            self.published = BotVersion.objects.create(
                bot=self, number=1, scenario=extracted, published_at=NOW
            )
            self.save()


class RuleFactory(DjangoModelFactory):
    """A distribution rule to which every page of its website leads, unless an earlier rule
    matches."""

    class Meta:
        model = DistributionRule
        skip_postgeneration_save = True

    website = factory.SubFactory(WebsiteFactory)
    name = factory.Sequence(lambda n: f"Rule {n}")

    @factory.post_generation
    def everywhere(self, create: bool, extracted: bool | None) -> None:
        if create and extracted is not False:
            TargetingRuleFactory(website=self.website, rule=self)


class TargetingRuleFactory(DjangoModelFactory):
    class Meta:
        model = TargetingRule

    website = factory.SelfAttribute("rule.website")
    name = factory.Sequence(lambda n: f"Targeting {n}")
    position = factory.Sequence(lambda n: n)


class StepFactory(DjangoModelFactory):
    """A queue of ``places``, with its rule and its group on one website."""

    class Meta:
        model = RuleStep

    rule = factory.SubFactory(RuleFactory)
    group = factory.SubFactory(GroupFactory, website=factory.SelfAttribute("..rule.website"))
    position = factory.Sequence(lambda n: n)
    places = 3


class VisitorFactory(DjangoModelFactory):
    """A visitor; ``token`` is what their browser would know."""

    class Meta:
        model = Visitor
        skip_postgeneration_save = True

    class Params:
        token = factory.Sequence(lambda n: f"token {n}")

    website = factory.SubFactory(WebsiteFactory)
    token_hash = factory.LazyAttribute(lambda v: hashlib.sha256(v.token.encode()).hexdigest())
    language = "fr"
    created_at = NOW

    @factory.post_generation
    def agrees(self, create: bool, extracted: bool | None) -> None:
        """With ``agrees=True`` the visitor has accepted the text of consent."""
        if create and extracted:
            text = texts_of(self.website, self.language)["consent"]
            Consent.objects.create(
                visitor=self,
                language=self.language,
                text=text,
                text_sha256=sha256_of(text),
                given_at=NOW,
            )


def connect(agent: Agent, *, at: datetime = NOW) -> uuid.UUID:
    """Create a desk connection of ``agent``, heard at ``at``, without publishing it."""
    connection = DeskConnection.objects.create(
        id=uuid.uuid4(), agent=agent, opened_at=at, heard_at=at
    )
    DeskPresence.objects.update_or_create(
        agent=agent, defaults={"is_connected": True, "changed_at": at}
    )
    return connection.pk


def queued(
    step: RuleStep,
    *,
    at: datetime = NOW,
    visitor: Visitor | None = None,
    style: str = Style.LIVE,
    language: str = "fr",
    solved_window: timedelta | None = None,
    is_asynchronous: bool = True,
    channel: str = Channel.CHAT,
    places: int | None = None,
    required_skills: Sequence[int] = (),
    skill_patience: timedelta | None = None,
) -> Conversation:
    """Create a conversation that waits in ``step``, whether there is room or not."""
    conversation = Conversation(
        website=step.rule.website,
        visitor=visitor or VisitorFactory(website=step.rule.website),
        channel=channel,
        style=style,
        solved_window=solved_window,
        is_asynchronous=is_asynchronous,
        language=language,
        rule=step.rule,
        required_skills=list(required_skills),
        skill_patience=skill_patience,
    )
    verbs.queue(conversation, group_id=step.group_id, queue_id=step.pk, at=at, places=places)
    return conversation


def with_bot(step: RuleStep, *, at: datetime = NOW, language: str = "fr") -> Conversation:
    """Create a conversation that a bot answers."""
    website = step.rule.website
    conversation = Conversation(
        website=website,
        visitor=VisitorFactory(website=website),
        is_asynchronous=True,
        language=language,
        rule=step.rule,
    )
    verbs.start_bot(conversation, at=at)
    return conversation


def on_desk(step: RuleStep, agent: Agent, *, at: datetime = NOW, **how: Any) -> Conversation:
    """Create a conversation on the desk of ``agent``, pushed whether they have a free slot or
    not."""
    return verbs.push(queued(step, at=at, **how).pk, agent=agent, at=at)


def in_status(
    status: Status, step: RuleStep, agent: Agent, *, at: datetime = NOW, keep: bool = True
) -> Conversation:
    """Create a conversation that the verbs brought to ``status``; ``agent`` is in the step's
    group."""
    actor = actors.agent(agent.user)
    match status:
        case Status.BOT:
            return with_bot(step, at=at)
        case Status.QUEUED:
            return queued(step, at=at)
        case Status.ASSIGNED:
            return verbs.transfer_to_agent(queued(step, at=at).pk, agent=agent, actor=actor, at=at)
    conversation = on_desk(step, agent, at=at, style=Style.SOCIAL, solved_window=timedelta(days=4))
    match status:
        case Status.ACTIVE:
            return conversation
        case Status.SNOOZED:
            return verbs.snooze(
                conversation.pk,
                until=at + timedelta(hours=3),
                keep=keep,
                auto_close=False,
                actor=actor,
                at=at,
            )
        case Status.PENDING:
            return verbs.set_pending(conversation.pk, actor=actor, at=at)
        case Status.ON_HOLD:
            return verbs.set_on_hold(conversation.pk, actor=actor, at=at)
        case Status.SOLVED:
            return verbs.solve(conversation.pk, actor=actor, at=at)
        case Status.CLOSED:
            return verbs.close(conversation.pk, reason=CloseReason.RESOLVED, actor=actor, at=at)
    raise AssertionError(status)


class TagFactory(DjangoModelFactory):
    class Meta:
        model = Tag

    website = factory.SubFactory(WebsiteFactory)
    name = factory.Sequence(lambda n: f"Tag {n}")


class ArticleFactory(DjangoModelFactory):
    """A published article for everybody, in French."""

    class Meta:
        model = Article

    website = factory.SubFactory(WebsiteFactory)
    language = "fr"
    name = factory.Sequence(lambda n: f"Article {n}")
    body = "Un texte."
    audience = Audience.PUBLIC
    state = ArticleState.PUBLISHED

    @classmethod
    def _create(cls, model_class: type[Article], *args: Any, **kwargs: Any) -> Article:
        return articles.save(model_class(*args, **kwargs), at=NOW)
