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
    """Put what the bar shows of the agent into the context, unless the page has done so.

    Pages of every app include the bar; none of them has to know what an agent's state is.
    """
    if "status_buttons" not in context:
        agent = queries.agent_of(context["request"].user)
        for name, value in bar_of(agent).items():
            context[name] = value
    return ""


@register.simple_tag
def texts_of_the_bar() -> dict[str, Any]:
    """The sentences that the bar's script says."""
    return bar_texts()
