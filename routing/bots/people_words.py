"""What visitors write who want a person, in the languages of the product."""

from __future__ import annotations

from collections.abc import Mapping

# What visitors write who want a person. A scenario may add words; the first of each language is
# what the Messenger's button sends.
PERSON_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "I would like to talk to a person",
        "talk to a person",
        "speak to a person",
        "real person",
        "human",
        "agent",
        "adviser",
        "advisor",
    ),
    "fr": (
        "Je voudrais parler à une personne",
        "parler à une personne",
        "parler à quelqu’un",
        "vraie personne",
        "humain",
        "conseiller",
        "conseillère",
        "agent",
    ),
}
