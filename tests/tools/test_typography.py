"""French texts get French typography, and code in a text stays unchanged."""

from __future__ import annotations

import pytest

from tools import messages, typography

N, B = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Fermer ?", f"Fermer{N}?"),
        ("Fermer?", f"Fermer{N}?"),
        (f"Fermer{B}?", f"Fermer{N}?"),
        ("Quoi ?!", f"Quoi{N}?!"),
        ("Vide : tous", f"Vide{B}: tous"),
        ("Vide: tous", f"Vide{B}: tous"),
        (f"Vide{N}:", f"Vide{B}:"),
        ("un ; deux", f"un{N}; deux"),
        ("« Aube »", f"«{B}Aube{B}»"),
        ("«Aube» ?", f"«{B}Aube{B}»{N}?"),
        ("l'adresse d'« Aube »", f"l’adresse d’«{B}Aube{B}»"),
        ("%(name)s ? {n} ; 45 %", f"%(name)s{N}? {{n}}{N}; 45{B}%"),
        ("%(n)s %%", f"%(n)s{B}%%"),
        ("jusqu'à %(until)s", "jusqu’à %(until)s"),
        # Not punctuation of a sentence: unchanged.
        ("à 12:30", "à 12:30"),
        ("voir https://example.com/?a=b;c ou ://x", "voir https://example.com/?a=b;c ou ://x"),
        ('<a title="V : o ?">ici</a>', '<a title="V : o ?">ici</a>'),
        ("Causerie('visitor', {cart: {total: 80}})", "Causerie('visitor', {cart: {total: 80}})"),
        ("`a ? b : c`", "`a ? b : c`"),
        ("A&nbsp;; B &laquo;", f"A&nbsp;{N}; B &laquo;"),
        ("ravi :-) et ;)", "ravi :-) et ;)"),
        (":tada: bravo", ":tada: bravo"),
        ("::1", "::1"),
        ("rock'n'roll", "rock’n’roll"),
        ("'fr'", "'fr'"),
    ],
)  # fmt: skip
def test_punctuation_gets_french_spaces(typed: str, printed: str) -> None:
    assert typography.french(typed) == printed
    assert typography.french(printed) == printed


def test_all_texts_follow_french_typography() -> None:
    assert typography.faults(messages.ROOT, (*messages.APPS, "templates", "static")) == []


def test_a_fault_in_code_is_found(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "app").mkdir()
    (tmp_path / "app/texts.py").write_text('"""Déjà : vu."""\nA = "Bientôt là !"\nB = r"[é] ?"\n')
    (tmp_path / "app/page.html").write_text('<p title="Été ?">Été comme hiver : oui</p>')
    (tmp_path / "app/page.js").write_text('const a = b ? "Merci à tous !" : "";')
    faults = typography.faults(tmp_path, ("app",))
    assert [fault.split(":")[0] for fault in faults] == [
        "app/page.html",
        "app/page.js",
        "app/texts.py",
    ]
