"""The agent's own state in the bar of every staff page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context

from desk import queries
from desk.texts import bar_texts
from desk.views.pages import bar_of

register = template.Library()


@register.simple_tag(takes_context=True)
def agent_state(context: Context) -> str:
    """Add the agent's state to the context for the bar, unless the page has done so.

    Pages of every app include the bar; none of them needs to know what an agent's state is.
    """
    if "status_buttons" not in context:
        agent = queries.agent_of(context["request"].user)
        for name, value in bar_of(agent).items():
            context[name] = value
    return ""


@register.simple_tag
def texts_of_the_bar() -> dict[str, Any]:
    """Return the texts of the bar's script."""
    return bar_texts()
