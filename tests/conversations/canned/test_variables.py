"""Variables of canned replies: their values, and their text if the value is unknown."""

from __future__ import annotations

import pytest

from conversations.canned.variables import fill, unknown

KNOWN = {"visitor_name": "Jeanne", "agent_name": "Alice", "website_name": "Maison"}


@pytest.mark.parametrize(
    ("text", "expected", "missing"),
    [
        ("Bonjour {visitor_name}, ici {agent_name}.", "Bonjour Jeanne, ici Alice.", ()),
        ("Bonjour { visitor_name | Madame }", "Bonjour Jeanne", ()),
        ("Groupe : {group_name|le nôtre}", "Groupe : le nôtre", ()),
        ("Bonjour {group_name}, ici Alice.", "Bonjour, ici Alice.", ("group_name",)),
        ("{group_name}, voici", "Voici", ("group_name",)),
        ("Voici {page} et {page}", "Voici et", ("page",)),
        ("Un\n{group_name} : deux", "Un\nDeux", ("group_name",)),
        ("Le {group_name|} reste", "Le reste", ("group_name",)),
        ("Rien à {remplacer ici} ni { }", "Rien à {remplacer ici} ni { }", ()),
        ("{nobody} stays", "{nobody} stays", ()),
    ],
)
def test_variables_are_replaced_by_their_values(
    text: str, expected: str, missing: tuple[str, ...]
) -> None:
    filled = fill(text, KNOWN)
    assert (filled.text, filled.missing) == (expected, missing)


def test_variable_in_visitor_name_is_not_replaced() -> None:
    called = "{agent_name} \x00{page}"
    assert fill("Hi {visitor_name}!", KNOWN | {"visitor_name": called}).text == (
        "Hi {agent_name} {page}!"
    )


def test_unknown_variables_are_listed_once() -> None:
    assert unknown("{first_name} {visitor_name} {first_name|x} {a b}") == ["first_name"]
