"""The texts for a website's visitors in their language: its own, or these defaults."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from conversations.messages import closing_message

if TYPE_CHECKING:
    from accounts.models import Website

# The asynchronous greeting is that of R3 and R4; C8 has one text for each kind of engagement.
DEFAULTS: dict[str, dict[str, str]] = {
    "fr": {
        "greeting_live": "👋 Bonjour ! Posez-nous votre question : un conseiller est là pour vous "
        "répondre.",
        "greeting_async": "👋 Bonjour ! Laissez-nous un message et nous y répondrons dès que "
        "possible. Si vous n’avez pas de réponse immédiatement, revenez plus tard, nos conseillers "
        "répondent généralement en quelques heures !",
        "greeting_closed": "👋 Bonjour ! Notre équipe n’est pas là pour le moment. Laissez-nous un "
        "message : nous vous répondrons à notre retour.",
        "consent": "Pour vous répondre, {brand} enregistre vos messages et les conserve le temps "
        "de traiter votre demande. Nous ne vous demandons rien d’autre, et vous pouvez faire "
        "effacer cet échange à tout moment.",
        "consent_link": "",
        "out_of_hours": "👋 Bonjour ! Nous ne sommes pas là pour le moment. Revenez nous voir à "
        "nos heures d’ouverture.",
        "notification": "{agent} de {brand} vous a répondu",
        "closing": closing_message.DEFAULTS["fr"],
        "over": "Cette conversation est clôturée.",
        "email_invitation": "Laissez-nous votre adresse e-mail : nous vous écrirons dès qu’un "
        "conseiller vous aura répondu.",
        "survey_csat": "Êtes-vous satisfait de cet échange ?",
        "survey_nps": "Recommanderiez-vous {brand} à un proche ?",
        "survey_thanks": "Merci ! Votre avis nous aide à mieux vous répondre.",
    },
    "en": {
        "greeting_live": "👋 Hello! Ask us anything: an adviser is here to answer you.",
        "greeting_async": "👋 Hello! Leave us a message and we will answer as soon as we can. If "
        "you do not get an answer right away, come back later. Our advisers usually "
        "reply within a few hours!",
        "greeting_closed": "👋 Hello! Our team is away at the moment. Leave us a message and we "
        "will answer when we are back.",
        "consent": "To answer you, {brand} records your messages and keeps them while your request "
        "is being handled. We ask for nothing else, and you can have this exchange erased at any "
        "time.",
        "consent_link": "",
        "out_of_hours": "👋 Hello! We are not here at the moment. Please come back during our "
        "opening hours.",
        "notification": "{agent} from {brand} has answered you",
        "closing": closing_message.DEFAULTS["en"],
        "over": "This conversation is closed.",
        "email_invitation": "Leave us your e-mail address and we will notify you when an "
        "adviser answers.",
        "survey_csat": "Are you satisfied with this conversation?",
        "survey_nps": "Would you recommend {brand} to a friend?",
        "survey_thanks": "Thank you! Your feedback helps us improve.",
    },
}


MIRRORING = {
    "fr": "Pendant l’échange, nos conseillers peuvent voir la page de notre site que vous avez "
    "sous les yeux. Vous en êtes averti à chaque fois et pouvez y mettre fin d’un clic. Vos mots "
    "de passe et vos données de paiement restent masqués.",
    "en": "During the conversation, our advisers can see the page of our site that you have in "
    "front of you. You are told each time, and can stop it with one click. Passwords and payment "
    "details stay hidden.",
}
"""What the consent also says where agents can see the page (R60)."""


STORED = {
    "fr": (
        "Ce qu’ils voient est conservé pendant un jour.",
        "Ce qu’ils voient est conservé pendant {days} jours.",
    ),
    "en": ("What they see is stored for one day.", "What they see is stored for {days} days."),
}
"""What it also says where that is stored: for one day, for several."""


def texts_of(website: Website, language: str, *, brand: str = "") -> dict[str, str]:
    """Return all texts of ``website`` in ``language``, by name.

    The consent also names mirroring, if agents can see the page. Texts are data: ``{brand}`` is
    replaced literally, by ``brand`` or the website's name; nothing else is interpreted.
    """
    own = website.texts.get(language) or {}
    merged = {name: own.get(name) or text for name, text in DEFAULTS[language].items()}
    if website.mirrors_screen:
        merged["consent"] = f"{merged['consent']}\n\n{MIRRORING[language]}"
    if website.stores_looks:
        days = website.looks_stored_days
        stored = STORED[language][days != 1].replace("{days}", str(days))
        merged["consent"] = f"{merged['consent']} {stored}"
    return {name: text.replace("{brand}", brand or website.name) for name, text in merged.items()}


def consent_of(website: Website, language: str) -> str:
    """Return what a visitor consents to: the text and, below it, the policy's address."""
    texts = texts_of(website, language)
    return "\n".join(part for part in (texts["consent"], texts["consent_link"]) if part)


def sha256_of(text: str) -> str:
    """Return the hash by which a consent names the exact text."""
    return hashlib.sha256(text.encode()).hexdigest()


def language_among(wanted: str, default: str) -> str:
    """Return the first language of ``wanted`` (``fr-FR,en;q=0.8``) that we have, or ``default``."""
    for part in wanted.split(","):
        code = part.split(";")[0].strip().lower()[:2]
        if code in DEFAULTS:
            return code
    return default if default in DEFAULTS else "en"
