"""The problems of a scenario, and what to do about them, in words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from routing.bots.checks import Kind, Problem

TEXTS: dict[Kind, Promise] = {
    Kind.NO_START: _("The scenario has no first step. Choose one."),
    Kind.DEAD_END: _("“{field}” leads nowhere. Choose the next step."),
    Kind.UNREACHABLE: _("No step leads here. Lead to this step, or delete it."),
    Kind.LOOP: _("These steps run in a circle without asking the visitor: {detail}."),
    Kind.NO_END: _("From here the visitor only meets questions. Lead to an escalation or an end."),
    Kind.NO_ROOM: _(
        "The rule “{detail}” can never take a conversation: it has no places and no agents."
    ),
    Kind.UNKNOWN_RULE: _("There is no enabled distribution rule named “{detail}”."),
    Kind.UNKNOWN_SKILL: _("The website has no skill named “{detail}”."),
    Kind.UNKNOWN_NAME: _("No step gives a value to “{detail}”."),
    Kind.NO_TEXT: _("“{field}” has no text."),
    Kind.MISSING_LANGUAGE: _("“{field}” is missing in this language: {language}."),
    Kind.SAME_CHOICES: _("Two choices have the same words ({detail})."),
    Kind.NO_CHOICES: _("Add at least one choice."),
    Kind.NO_PATTERN: _("Enter the form of the code, such as CM-####."),
    Kind.FOREIGN_IMAGE: _("This picture is not on one of the website’s domains: {detail}."),
    Kind.BAD_ADDRESS: _("This is not a web address with a fixed server: {detail}."),
    Kind.KNOWLEDGE: _("This website has no knowledge to ask yet."),
}
FIELDS: dict[str, Promise] = {
    "next": _("Next step"),
    "failed": _("If this fails"),
    "otherwise": _("Otherwise"),
    "no_room": _("If there is no room"),
    "text": _("Text"),
    "retry": _("Text after an invalid answer"),
}


def field_name(path: str) -> str:
    """Return the name of a field in the editor, such as "Choice 2"."""
    first, _slash, rest = path.partition("/")
    number = int(rest.split("/")[0]) + 1 if rest.split("/")[0].isdecimal() else 0
    match first:
        case "choices":
            return str(_("Choice {n}")).format(n=number)
        case "branches":
            return str(_("Branch {n}")).format(n=number)
        case "cards":
            return str(_("Card {n}")).format(n=number)
    return str(FIELDS.get(first, path))


def describe(problem: Problem) -> str:
    """Return a problem as a sentence in the active language."""
    path, _space, language = problem.detail.partition(" ")
    detail = problem.detail or str(_("of this bot"))
    return str(TEXTS[problem.kind]).format(
        detail=detail, field=field_name(path), language=language.upper()
    )
