"""The languages of text search, and PostgreSQL's configuration for each."""

from __future__ import annotations

from django.utils.translation import get_language_info

SIMPLE = "simple"
CONFIGURATIONS = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}


def base(language: str) -> str:
    """Return the base language: ``fr`` for ``fr-CA``."""
    return language.replace("_", "-").split("-")[0].lower()


def configuration(language: str) -> str:
    """Return the configuration that stems words of a language; ``simple`` does not stem."""
    return CONFIGURATIONS.get(base(language), SIMPLE)


def choices() -> list[tuple[str, str]]:
    """Return (code, name) for each language, named and sorted in the active language."""
    named = [(code, str(get_language_info(code)["name_translated"])) for code in CONFIGURATIONS]
    return sorted(((code, name[:1].upper() + name[1:]) for code, name in named), key=lambda x: x[1])
