"""What all tests of webhooks need: a website with a conversation, and receivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User, Website
from conversations.models import Webhook
from conversations.webhooks import events, rounds, verbs
from routing.models import RuleStep
from tests.conversations.webhooks import receiver as receivers
from tests.conversations.webhooks.receiver import Receiver
from tests.factories import StepFactory, UserFactory

EVERYTHING = [name for name, _label in events.CHOICES if name != events.STRANDED]

Make = Callable[..., Webhook]


@pytest.fixture(name="step")
def step_fixture() -> RuleStep:
    return StepFactory(places=1000, rule__website__name="Zebra", rule__website__key="zebra")


@pytest.fixture(name="website")
def website_fixture(step: RuleStep) -> Website:
    return step.rule.website


@pytest.fixture(name="owner")
def owner_fixture() -> User:
    return UserFactory(email="owner@example.com", language="en")


@pytest.fixture(name="open_receivers")
def open_receivers_fixture(settings: Any) -> Iterator[Callable[[], Receiver]]:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    with ExitStack() as stack:
        yield lambda: stack.enter_context(receivers.running())


@pytest.fixture(name="receiver")
def receiver_fixture(open_receivers: Callable[[], Receiver]) -> Receiver:
    return open_receivers()


@pytest.fixture(name="make")
def make_fixture(website: Website, owner: User, receiver: Receiver) -> Make:
    def made(**more: Any) -> Webhook:
        given = {"name": f"w{Webhook.objects.count()}", "url": receiver.url, "owner": owner}
        webhook = Webhook(website=website, **{"events": EVERYTHING, **given, **more})
        verbs.create(webhook, at=timezone.now())
        return webhook

    return made


def drain(webhook: Webhook, most: int = 50) -> None:
    """Run rounds until there is nothing to send at this moment."""
    for _round in range(most):
        if not rounds.run(webhook.pk):
            return
    raise AssertionError("it never ends")
