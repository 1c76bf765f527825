"""An error in a list names the entry, not its position."""

from __future__ import annotations

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils import translation

from accounts.list_field import ListField


def field() -> ListField:
    host = RegexValidator(r"^[a-z.]+$", message="It is not a host.")
    return ListField(forms.CharField(max_length=20, validators=[host]))


@pytest.mark.parametrize("written", ["a.example,b c,d.example", "a.example,b c"])
def test_an_invalid_entry_is_named(written: str) -> None:
    with translation.override("en"), pytest.raises(ValidationError) as refused:
        field().clean(written)
    assert refused.value.messages == ["“b c” cannot be used: It is not a host."]


def test_every_invalid_entry_is_named() -> None:
    with translation.override("fr"), pytest.raises(ValidationError) as refused:
        field().clean("1,2,a")
    assert [message.split("»")[0].strip("« \u00a0") for message in refused.value.messages] == [
        "1",
        "2",
    ]


def test_valid_entries_become_a_list() -> None:
    assert field().clean("a.example, b.example") == ["a.example", "b.example"]
