"""The languages that texts are searched in, and PostgreSQL's configuration for each."""

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
    """``fr`` of ``fr-CA``."""
    return language.replace("_", "-").split("-")[0].lower()


def configuration(language: str) -> str:
    """How words of a language are reduced to their stems; ``simple``: not at all."""
    return CONFIGURATIONS.get(base(language), SIMPLE)


def choices() -> list[tuple[str, str]]:
    """Code and name of each, in the reader's language and alphabet."""
    named = [(code, str(get_language_info(code)["name_translated"])) for code in CONFIGURATIONS]
    return sorted(((code, name[:1].upper() + name[1:]) for code, name in named), key=lambda x: x[1])
