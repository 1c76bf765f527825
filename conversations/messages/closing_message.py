"""The closing message, sent only when an agent closes the conversation (R130)."""

from __future__ import annotations

from accounts.models import Website

# Used if a website has no text of its own.
DEFAULTS = {
    "fr": "Merci de votre visite, et à bientôt !",
    "en": "Thank you for your visit, and see you soon!",
}


def words(website: Website, language: str) -> str:
    """Return the text in the visitor's language, else in the website's. ``{brand}`` is replaced
    literally."""
    spoken = language if language in DEFAULTS else website.language
    own = (website.texts.get(spoken) or {}).get("closing")
    text: str = own or DEFAULTS.get(spoken, DEFAULTS["en"])
    # Not ``format``: the text is the website's own, and may have other braces.
    return text.replace("{brand}", website.name)
