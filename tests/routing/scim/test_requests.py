"""Filters and patches of SCIM, in the shapes that Okta and Entra ID send."""

from __future__ import annotations

from typing import Any

import pytest

from routing.scim.requests import Change, Invalid, changes_of, changes_to, conditions_of, truth

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ('userName eq "ada@example.com"', {"username": "ada@example.com"}),
        ('userName Eq "a \\"b\\" \\\\ c"', {"username": 'a "b" \\ c'}),
        (f'{SCHEMA}:userName eq "ada"', {"username": "ada"}),
        ('emails[type eq "work"].value eq "a@b.example"', {"emails.value": "a@b.example"}),
        ("active eq true", {"active": True}),
        (
            'externalId eq "x and y" and active eq False',
            {"externalid": "x and y", "active": False},
        ),
        ('members.value eq "7"', {"members.value": "7"}),
    ],
)
def test_filters_are_read(text: str, expected: dict[str, Any]) -> None:
    assert conditions_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        'userName co "a"',
        'userName eq "a" or userName eq "b"',
        'userName eq "a" and',
        'userName eq "a"x',
        "userName",
        "userName eq a",
        'not (userName eq "a")',
        "(" * 3000,
    ],
)
def test_other_filters_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as invalid:
        conditions_of(text)
    assert invalid.value.kind == "invalidFilter"


def patch(*operations: dict[str, Any]) -> list[Change]:
    return changes_of({"Operations": list(operations)})


def test_okta_deactivates_without_a_path() -> None:
    assert patch({"op": "replace", "value": {"active": False}}) == [
        Change("replace", "active", False)
    ]


def test_entra_writes_operations_and_truth_in_its_own_way() -> None:
    [first, second, third] = patch(
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": "a@b.example"},
        {"op": "Replace", "path": "name.familyName", "value": "Lovelace"},
    )
    assert (first.how, first.attribute, truth(first.value)) == ("replace", "active", False)
    assert second == Change("add", "emails.value", "a@b.example")
    assert third == Change("replace", "name.familyname", "Lovelace")


def test_members_come_in_a_list_or_in_the_path() -> None:
    gone = [Change("remove", "members", [{"value": "7"}])]
    assert patch({"op": "remove", "path": 'members[value eq "7"]'}) == gone
    assert patch({"op": "Remove", "path": "members", "value": [{"value": "7"}]}) == gone


def test_a_whole_resource_is_taken_apart() -> None:
    body = {"schemas": [SCHEMA], "userName": "ada", "name": {"givenName": "Ada"}}
    assert changes_to(body)[1:] == [
        Change("replace", "username", "ada"),
        Change("replace", "name.givenname", "Ada"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Operations": []},
        {"Operations": "x"},
        {"Operations": [1]},
        {"Operations": [{"op": "move", "path": "active"}]},
        {"Operations": [{"op": "replace", "value": 1}]},
        {"Operations": [{"op": "remove"}]},
    ],
)
def test_malformed_patches_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        changes_of(body)
