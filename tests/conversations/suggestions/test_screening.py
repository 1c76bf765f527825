"""Nothing about one person is ever suggested to another."""

from __future__ import annotations

import pytest

from conversations.suggestions.screening import PlainMessage, is_safe, pairs, redact

NAMES = ["Jeanne Dupont", "Alice"]
VOCABULARY = {"maison", "celeste", "chronopost"}


@pytest.mark.parametrize(
    "answer",
    [
        "Nous livrons en 48 heures ouvrées ; le suivi vous parvient dès l'expédition.",
        "Bonjour, les retours sont gratuits pendant 30 jours. Glissez le bon dans le colis.",
        "You can return it within 2 to 3 weeks, I will send you the label.",
        "Our shop is open until 18:30, and you get 20% with the newsletter.",
        "Tout est sur https://example.com/aide/retours : bonne lecture à vous.",
        "Maison Céleste vous l'envoie par Chronopost, TVA comprise, merci beaucoup.",
        "Bonjour Madame, oui : cette bague existe aussi en argent.",
    ],
)
def test_impersonal_answers_are_safe(answer: str) -> None:
    assert is_safe(answer, names=NAMES, vocabulary=VOCABULARY)


@pytest.mark.parametrize(
    "answer",
    [
        "Je vous écris à paul.martin@example.com dès que possible.",
        "Appelez-nous au 01 23 45 67 89 entre midi et deux.",
        "Call me at +33 6 12 34 56 78, I am there all day.",
        "Votre commande 48213 part demain matin, sans faute.",
        "Le code de votre avoir est AB12C, valable toute l'année.",
        "Nous vous remboursons 129,90 € sur votre compte.",
        "Le colis est parti au 12 bis rue de la Paix, troisième étage.",
        "Bonjour jeanne, votre colis est parti ce matin.",
        "Bonjour marie, votre colis est parti ce matin.",
        "Merci Paul, votre colis est parti ce matin.",
        "Jeanne, votre colis est parti ce matin, bonne journée.",
        "Votre colis pour madame dupont est parti ce matin.",
        "J'ai laissé le colis à votre voisin Bernard, au rez-de-chaussée.",
        "Le colis est chez MARTIN, il vous attend depuis ce matin.",
        "Le suivi est sur https://example.com/suivi?colis=abc : bonne journée.",
        "Le suivi est sur https://example.com/suivi/482133 : bonne journée.",
        "Cordialement, et à bientôt, c'était alice pour vous.",
        "Oui.",
        "trop long " * 200,
    ],
)
def test_personal_answers_are_not_safe(answer: str) -> None:
    assert not is_safe(answer, names=NAMES, vocabulary=VOCABULARY)


def test_redaction_removes_personal_data() -> None:
    asked = "Bonjour, je suis Jeanne Dupont (jeanne@example.com), commande 48213 : où est-elle ?"
    assert redact(asked, names=NAMES) == "bonjour, je suis commande : ou est-elle ?"
    assert redact("WHERE IS MY ORDER") == "where is my order"
    assert redact("Mon ami Paul attend. Pourquoi ?") == "mon ami attend. pourquoi ?"


def test_consecutive_messages_of_each_side_form_pairs() -> None:
    def lines(text: str) -> list[PlainMessage]:
        authors = {"v": "visitor", "a": "agent", "b": "bot", "s": "system", "f": "agent"}
        return [
            PlainMessage(seq, authors[author], f"{author}{seq}", author != "f")
            for seq, author in enumerate(text, 1)
        ]

    def found(text: str) -> list[tuple[int, str, str]]:
        return [(one.seq, one.question, one.answer) for one in pairs(lines(text))]

    assert found("vvsaav") == [(4, "v1\nv2", "a4\na5")]
    assert found("vava") == [(2, "v1", "a2"), (4, "v3", "a4")]
    assert found("avbaa") == []  # a greeting, and what a bot answered
    assert found("vafva") == [(5, "v4", "a5")]  # a file belongs to one person
    assert len(found("va" * 9)) == 5
