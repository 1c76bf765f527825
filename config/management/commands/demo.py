"""The command that creates the demo: a shop with a Messenger, its team, and the first rule. Safe to
run again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from accounts import identities
from accounts.models import CobrowsingPermission, Role, ToolbarApp, Website
from conversations.canned import library
from conversations.models import CannedReply
from messenger.demo import app
from routing import provisioning

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

# language, shortcut, folder, title, text: canned replies of the whole team
REPLIES = [
    (
        "fr",
        "bonjour",
        "Accueil",
        "Bonjour",
        "Bonjour {visitor_name}, ici {agent_name}, de {website_name}. Que puis-je pour vous ?",
    ),
    (
        "en",
        "hello",
        "Welcome",
        "Hello",
        "Hello {visitor_name}, this is {agent_name} at {website_name}. How may I help?",
    ),
    (
        "fr",
        "livraison",
        "Commandes",
        "Délai de livraison",
        "Nous livrons en 48 heures ouvrées ; le suivi vous parvient par e-mail dès l’expédition.",
    ),
    (
        "en",
        "delivery",
        "Orders",
        "Delivery time",
        "We deliver within two working days; you receive the tracking by e-mail once it is sent.",
    ),
    (
        "fr",
        "pause",
        "Suivi",
        "Avant une mise en pause",
        "Je vous laisse vérifier de votre côté. Sans réponse de votre part, la conversation "
        "sera clôturée automatiquement "
        "et vous recevrez une courte enquête ; écrivez ici et je reprends.",
    ),
    (
        "en",
        "later",
        "Follow-up",
        "Before a snooze",
        "I leave you time to check. Without an answer the conversation closes by itself and you "
        "get a short survey; write here and I go on.",
    ),
]
OUR_APP = r"^http://localhost:\d+/demo/app/$"


def _address_of_app() -> str:
    return f"http://localhost:{settings.PORT}/demo/app/"


class Command(BaseCommand):
    help = "Create the demo website, its team and its first distribution rule, if they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        known = Website.objects.filter(key=KEY).first()
        if known is not None:
            if not known.identity_secrets.exists():  # created by a version before identity secrets
                identities.rotate(known, at=timezone.now())
            # PORT may have changed since.
            ours = ToolbarApp.objects.filter(website=known, url__regex=OUR_APP)
            ours.update(url=_address_of_app())
            self.stdout.write("The demo already exists.")
            return
        # Hashing is slow on purpose: do it once, and not while a transaction is open.
        self._make(password=make_password(PASSWORD))
        self.stdout.write("The demo was created.")

    @transaction.atomic
    def _make(self, *, password: str) -> None:
        website = Website.objects.create(
            key=KEY,
            name="Maison Céleste",
            domains=["localhost", "127.0.0.1", "[::1]"],
            language="fr",
            time_zone="Europe/Paris",
            mirroring=True,
            mirrors_screen=True,
            calls="video",
            visitors_share_screen=True,
            agents_share_screen=True,
            cobrowsing=[one for one in CobrowsingPermission.values if one != "submit"],
        )
        identities.rotate(website, at=timezone.now())
        # An app must have another origin than the desk: this machine under another name.
        ToolbarApp.objects.create(website=website, name=app.NAME, url=_address_of_app())
        agents = {
            username: provisioning.create_user(
                username=username,
                display_name=first_name,
                first_name=first_name,
                last_name=last_name,
                role=role,
                is_superuser=role == Role.ADMIN,
                slots=slots,
                password=password,
            )
            for username, first_name, last_name, role, slots in PEOPLE
        }
        boss = agents["manager"].user
        team = provisioning.create_group(
            website,
            name="Équipe de réponse",
            members=[agents["alice"], agents["bruno"]],
            managers=[boss],
        )
        experts = provisioning.create_group(
            website, name="Experts", members=[agents["emma"]], managers=[boss]
        )
        # The express deployment starts with 3 places (R205). The experts' queue has none, so they
        # get conversations only while they are there.
        provisioning.create_rule(website, queues=[(team, provisioning.FIRST_PLACES), (experts, 0)])
        for language, shortcut, folder, name, body in REPLIES:
            library.save(
                CannedReply(
                    website=website,
                    language=language,
                    shortcut=shortcut,
                    folder=folder,
                    name=name,
                    body=body,
                )
            )
