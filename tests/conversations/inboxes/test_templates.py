"""Templates of a channel: their places, and what they become."""

from __future__ import annotations

import pytest

from conversations.inboxes import templates
from conversations.inboxes.templates import ApprovedTemplate
from conversations.models import Inbox
from core.rejection import Rejected

READY = ApprovedTemplate(
    "ready", "fr", "Bonjour {{1}}, la commande {{ order }} de {{1}}.", ("Oui",)
)


def an_inbox() -> Inbox:
    return Inbox(templates=[READY.as_json()])


def test_places_have_numbers_or_names_and_count_once() -> None:
    assert READY.places == ["1", "order"]
    assert templates.places_of("Aucune {place}, {{Grande}}, {{}}") == []


def test_a_template_becomes_a_message_with_its_buttons() -> None:
    body, offer = templates.compose(an_inbox(), "ready/fr", {"1": "Jeanne", "order": "A-7"})
    assert body == "Bonjour Jeanne, la commande A-7 de Jeanne.\n\n• Oui"
    assert offer["text"] == "Bonjour Jeanne, la commande A-7 de Jeanne."
    assert offer["template"] == {
        "name": "ready",
        "language": "fr",
        "values": {"1": "Jeanne", "order": "A-7"},
    }


def test_a_value_is_one_line_and_no_place_itself() -> None:
    body, _offer = templates.compose(an_inbox(), "ready/fr", {"1": "a\n\tb", "order": "{{1}}"})
    assert body.startswith("Bonjour a b, la commande {{1}} de a b.")


@pytest.mark.parametrize("values", [{}, {"1": "Jeanne"}, {"1": "Jeanne", "order": " \n"}])
def test_every_place_must_be_filled(values: dict[str, str]) -> None:
    with pytest.raises(Rejected) as caught:
        templates.compose(an_inbox(), "ready/fr", values)
    assert "order" in caught.value.text


def test_a_text_that_became_too_long_is_rejected() -> None:
    long = Inbox(templates=[ApprovedTemplate("long", "fr", "{{1}} " + "x" * 3900).as_json()])
    with pytest.raises(Rejected) as caught:
        templates.compose(long, "long/fr", {"1": "y" * 400})
    assert caught.value.code == "too_long"


@pytest.mark.parametrize("key", ["ready/en", "ready", "", "other/fr"])
def test_what_is_not_approved_is_not_sent(key: str) -> None:
    for inbox in (an_inbox(), None):
        with pytest.raises(Rejected) as caught:
            templates.compose(inbox, key, {})
        assert caught.value.status == 409
