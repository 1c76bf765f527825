"""The set-up for the load, in a process of its own: a website, its rule, agents with sessions.

Prints it as JSON. Everything after that (visitors, conversations, messages) is created by the load
through the public entry points.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

# The models can be imported only after Django's setup.
from django.conf import settings  # noqa: E402
from django.contrib.auth import (  # noqa: E402
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
)
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.db import transaction  # noqa: E402

from accounts.models import Agent, AgentChannel, Channel, Group, User, Website  # noqa: E402
from messenger.website_texts import sha256_of, texts_of  # noqa: E402
from routing.models import DistributionRule, RuleStep, TargetingRule  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--agents", type=int, required=True)
    parser.add_argument("--visitors", type=int, required=True)
    parser.add_argument("--targets", type=int, default=1, help="targeting rules; the last matches")
    options = parser.parse_args()
    prepared = prepare(agents=options.agents, visitors=options.visitors, targets=options.targets)
    print(json.dumps(prepared))


@transaction.atomic
def prepare(*, agents: int, visitors: int, targets: int = 1) -> dict[str, Any]:
    """Create a website for each run, so that a run on a used database starts with an empty one."""
    website = Website.objects.create(
        key=f"bench-{secrets.token_hex(4)}",
        name="Bench",
        domains=["127.0.0.1", "localhost"],
        language="en",
    )
    team = Group.objects.create(website=website, name="Bench")
    rule = DistributionRule.objects.create(website=website, name="Bench")
    RuleStep.objects.create(rule=rule, group=team, position=1, places=visitors)
    for n in range(1, targets):
        TargetingRule.objects.create(
            website=website,
            name=f"Journey {n}",
            position=n,
            rule=rule,
            pages_included=[f"/journey-{n}/*", f"*campaign-{n}*"],
            languages=["fr", "en"],
        )
    TargetingRule.objects.create(website=website, name="Bench", position=targets, rule=rule)
    slots = -(-visitors // agents)
    users = [_agent(f"{website.key}-{n}", team, slots=slots) for n in range(1, agents + 1)]
    return {
        "key": website.key,
        "consent": sha256_of(texts_of(website, "en")["consent"]),
        "cookies": [f"{settings.SESSION_COOKIE_NAME}={session(user)}" for user in users],
    }


def _agent(username: str, team: Group, *, slots: int) -> User:
    user = User.objects.create_user(username)
    agent = Agent.objects.create(user=user, display_name=username)
    AgentChannel.objects.create(agent=agent, channel=Channel.CHAT, slots=slots, is_available=True)
    team.members.add(agent)
    return user


def session(user: User) -> str:
    """Create a session as Django's login would; logging in is not part of the measurement."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


if __name__ == "__main__":
    main()
