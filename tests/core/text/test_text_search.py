"""Words are found in any spelling; the database folds text exactly as the product does."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.text.text_search import LIMIT, LONGEST, as_tsquery, cut, fold, sought, spaced, tokens

pytestmark = pytest.mark.django_db

ALPHABET = st.one_of(
    st.characters(exclude_categories=["Cs", "Cn", "Co"], exclude_characters="\0"),
    st.sampled_from(
        "aAéÉœŒßøłıİςΣ 0123456789.-_/'’°€«»\u00a0\u202f\u00ad\u200d配送状況かがไทยकी٤٧"
    ),
)
SAYINGS = [
    "n°4711 €4711 l’adresse «lampe» AB-1234-Z commande.Merci",
    "Meilleurs vœux, ŒUVRE æther Straße STRAẞE ﬁn №5 ÅNGSTRÖM İstanbul ısı",
    "06 12 34 56 78 · 2026-11-28 · 1 234,50 € · FR76 3000 6000",
    "配送状況を確認してください。 พัสดุของฉันอยู่ที่ไหน한국어 주문",
    "हिन्दी की किताब · مُحَمَّد كتاب ٤٧١١ · שָׁלוֹם · Ёлка · Ἀθῆναι ΟΔΟΣ",
    "mailto:Jeanne.Martin@example.org https://shop.example/p/4711?x=1#y",
    "x" * 5000 + " 1" * 500 + "-2" * 500,
    "👩‍👩‍👧‍👦🏽 ok \u00adnot\u200bed",
]


def stored(text: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tsvector_to_array(causerie_tokens(%s)), causerie_spaced(%s)", [text] * 2
        )
        words, folded = cursor.fetchone()
    assert folded == spaced(text)
    return set(words)


@pytest.mark.parametrize("text", SAYINGS)
def test_database_and_python_find_the_same_words(text: str) -> None:
    assert stored(text) == tokens(text)


@settings(max_examples=400)
@given(st.text(ALPHABET, max_size=80))
@example("İ")
@example("ΟΔΟΣ ς")
@example("\u0345\u1fbe")
@example("か\u3099 ｶﾞ")
def test_database_and_python_agree_on_any_text(text: str) -> None:
    assert stored(text) == tokens(text)


@given(st.text(ALPHABET, max_size=300))
def test_any_input_is_a_valid_query(text: str) -> None:
    terms = sought(text)
    assert sum(len(term.words) for term in terms) <= LIMIT
    if terms:
        with connection.cursor() as cursor:
            cursor.execute("SELECT causerie_tokens(%s) @@ %s::tsquery", [text, as_tsquery(terms)])
    "".join(piece.text for piece in cut(text, terms))


@given(st.text(ALPHABET, min_size=1, max_size=40))
def test_any_text_is_found_by_its_own_words(text: str) -> None:
    if terms := sought(text):
        assert is_found(as_tsquery(terms), f"so {text} is said")


def is_found(query: str, text: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT causerie_tokens(%s) @@ %s::tsquery", [text, query])
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("l’adresse", "l'adresse adresse l’adresse ADRESSE adr l'adr"),
        ("Une adresse", "l'adresse l’adresses"),
        ("n°4711", "4711 n°4711 47"),
        ("Nº 4711 et €12,50", "4711 €12,50 12.50 12 €"),
        ("«lampe»", "lampe «lampe» lampes"),
        ("AB-1234-Z", "AB-1234-Z ab1234z 1234 AB ab-1234 AB1234"),
        ("AB1234Z", "AB-1234-Z AB1234Z"),
        ("commande.Merci", "merci commande commande.Merci"),
        ("fin.Début,suite;encore/et(ceci)", "debut suite encore ceci"),
        ("Meilleurs vœux", "voeux vœux VŒUX vœu voeu"),
        ("Ægir, Straße, Łódź, smørrebrød, ığdır", "aegir strasse lodz smorrebrod igdir"),
        ("j.martin+shop@mail.example.org", "martin mail.example j.martin@ example.org shop"),
        ("https://shop.example/fr/lampe-4711?x=1", "lampe 4711 shop.example lampe-4711 lampe4711"),
        ("06 12 34 56 78", "0612345678 06.12 0612"),
        ("0612345678", "06"),
        ("配送状況を確認", "配送 送状 状況 確 況 配送状況 確認"),
        ("สวัสดีครับ", "ครับ สวัสดี"),
        ("ひらがなカタカナ", "がな カタ"),
        ("주문번호", "주문 주"),
        ("Ёлка и Ἀθῆναι", "елка αθηναι ΑΘΗΝΑΙ"),
        ("مُحَمَّدٌ أحمد ٤٧١١", "محمد احمد 4711"),
        ("שָׁלוֹם", "שלום"),
        ("हिन्दी किताब", "हिन्दी किताब"),
        ("snake_case_9 O'Brien's", "case O'Brien brien snake_case"),
        ("ref\u200b4711 co\u00adeur", "ref4711 coeur"),
        ("ﬁn ２０２６ Ⅳ", "fin 2026 iv"),
    ],
)
def test_words_are_found_in_different_spellings(text: str, query: str) -> None:
    for one in query.split():
        if sought(one):
            assert is_found(as_tsquery(sought(one)), f"Voici {text} ."), one


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("हिन्दी", "हन्दू"),  # vowel signs are letters
        ("配送状況", "状送"),
        ("lampe", "ampe"),
        ("AB-1234-Z", "34 AC-1234"),
    ],
)
def test_other_words_are_not_found(text: str, query: str) -> None:
    for one in query.split():
        assert not is_found(as_tsquery(sought(one)), text), one


def shown(text: str, query: str) -> list[str]:
    return [piece.text for piece in cut(text, sought(query)) if piece.is_found]


def test_an_excerpt_shows_the_match() -> None:
    assert shown("Voici l’Adresse.", "l'adresse") == ["Adresse"]
    assert shown("Meilleurs Vœux !", "voeux") == ["Vœux"]
    assert shown("La réf. AB-1234-Z, oui", "ab1234z") == []
    assert shown("La réf. AB-1234-Z, oui", "AB-1234-Z") == ["AB", "1234", "Z"]
    assert shown("注文の配送状況を確認", "配送状況") == ["配送状況"]
    assert shown("snake_case", "case") == ["case"]


def test_punctuation_alone_gives_an_empty_query() -> None:
    assert sought("!!! · « »") == []
    assert sought("") == []
    assert as_tsquery(sought("l'")) == "'l':*"


def test_long_words_are_searched_up_to_the_stored_length() -> None:
    assert {len(word) for word in tokens("x" * 5000)} == {LONGEST}
    assert is_found(as_tsquery(sought("x" * 5000)), "x" * 5000)


def test_folding_keeps_separators() -> None:
    assert fold("L’Été, n°4") == "l’ete, n°4"
    assert spaced("L’Été, n°4") == "l ete n 4"
