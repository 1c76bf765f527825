"""Makes the demo: a shop with a Messenger, its team, and the first rule. Safe to run again."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand
from django.db import transaction

from accounts.models import Agent, AgentChannel, Channel, Group, Role, User, Website
from routing.models import DistributionRule, RuleStep

KEY = "demo"
PASSWORD = "demo"

# username, first name, last name, role, slots on chat
PEOPLE = [
    ("admin", "Ada", "Lemoine", Role.ADMIN, 2),
    ("manager", "Marc", "Fournier", Role.MANAGER, 2),
    ("alice", "Alice", "Martin", Role.AGENT, 4),
    ("bruno", "Bruno", "Keller", Role.AGENT, 4),
    ("emma", "Emma", "Rousseau", Role.EXPERT, 3),
]


class Command(BaseCommand):
    help = "Makes the demo website, its team and its first distribution rule, if they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        if Website.objects.filter(key=KEY).exists():
            self.stdout.write("The demo is there already.")
            return
        # Hashing is slow on purpose: once, and not while a transaction is held open.
        self._make(password=make_password(PASSWORD))
        self.stdout.write("The demo is made.")

    @transaction.atomic
    def _make(self, *, password: str) -> None:
        website = Website.objects.create(
            key=KEY,
            name="Maison Céleste",
            domains=["localhost", "127.0.0.1", "[::1]"],
            language="fr",
            time_zone="Europe/Paris",
        )
        agents = {person[0]: self._person(*person, password=password) for person in PEOPLE}
        team = Group.objects.create(website=website, name="Équipe de réponse")
        team.members.set([agents["alice"], agents["bruno"]])
        experts = Group.objects.create(website=website, name="Experts")
        experts.members.set([agents["emma"]])
        for group in (team, experts):
            group.managers.set([agents["manager"].user])
        # The express deployment starts with this rule and 3 places (R205, R210); experts are
        # asked only while they are there.
        rule = DistributionRule.objects.create(website=website, name="vers equipe de reponse")
        RuleStep.objects.create(rule=rule, group=team, position=1, places=3)
        RuleStep.objects.create(rule=rule, group=experts, position=2, places=0)

    def _person(
        self,
        username: str,
        first_name: str,
        last_name: str,
        role: Role,
        slots: int,
        *,
        password: str,
    ) -> Agent:
        user = User.objects.create(
            username=username,
            password=password,
            first_name=first_name,
            last_name=last_name,
            role=role,
            is_staff=role in {Role.ADMIN, Role.MANAGER},
            is_superuser=role == Role.ADMIN,
        )
        agent = Agent.objects.create(user=user, display_name=first_name)
        AgentChannel.objects.create(agent=agent, channel=Channel.CHAT, slots=slots)
        return agent
