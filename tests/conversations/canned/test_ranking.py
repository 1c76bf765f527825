"""The order in which a search finds canned replies."""

from __future__ import annotations

import pytest

from conversations.canned.ranking import MOST, Candidate, rank
from core.text.text_search import spaced


def test_non_letters_separate_words() -> None:
    replies = [reply(1, "Meilleurs vœux", body="N°4711, l’adresse «lampe» commande.Merci")]
    for asked in (
        "voeux",
        "VŒUX",
        "4711",
        "n°4711",
        "l'adresse",
        "«lampe»",
        "merci",
        "lampe,merci",
    ):
        assert rank(replies, asked, "fr") == [1], asked
    assert rank(replies, "tapis", "fr") == []


def reply(pk: int, name: str, shortcut: str = "", **more: object) -> Candidate:
    given = {"folder": "", "language": "", "uses": 0, "body": ""} | more
    body = given.pop("body")
    words = spaced(f"{shortcut} {name} {given['folder']} {body}")
    return Candidate(pk=pk, name=name, shortcut=shortcut, words=words, **given)  # type: ignore[arg-type]


REPLIES = [
    reply(1, "Délai de livraison", "livraison", folder="Commandes", language="fr", uses=2),
    reply(2, "Livraison à l'étranger", folder="Commandes", language="fr", uses=9),
    reply(3, "Delivery abroad", "livraison-en", language="en", uses=5),
    reply(4, "Retours", "retour", language="fr", uses=30, body="après la livraison"),
    reply(5, "Merci", "merci", uses=1),
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("livraison", [1, 3, 2, 4]),  # the shortcut, a shortcut's beginning, a title, a text
        ("LIVRAISON etr", [2]),
        ("delai", [1]),
        ("commandes", [2, 1]),  # the folder; the more used first
        ("", [4, 2, 1, 5, 3]),  # nothing typed: the visitor's language, the most used
        ("  merci ", [5]),
        ("zzz", []),
    ],
)
def test_query_finds_replies_in_order(query: str, expected: list[int]) -> None:
    assert rank(REPLIES, query, "fr-CA") == expected


def test_number_of_results_is_limited() -> None:
    replies = [reply(pk, f"Reply {pk}") for pk in range(50)]
    assert len(rank(replies, "reply", "en")) == MOST
