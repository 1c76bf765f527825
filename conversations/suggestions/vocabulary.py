"""The website's vocabulary: capitalized words that are not names of people."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from accounts.models import Website
from conversations.models import CannedReply
from conversations.suggestions.screening import WORD
from core.text.text_search import fold


def vocabulary_of(website: Website) -> frozenset[str]:
    """Return the capitalized words in the website's name, its groups' names and shared replies."""
    texts = [website.name, *website.groups.values_list("name", flat=True)]
    shared = CannedReply.objects.filter(Q(website=website) | Q(group__website=website))
    texts += shared.values_list("body", flat=True)
    return frozenset(_capitals(texts))


def _capitals(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        for word in WORD.findall(text):
            if word[0] != word[0].lower():
                yield fold(word)
