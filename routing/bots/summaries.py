"""What a bot learnt from a visitor, for the agent who takes over."""

from __future__ import annotations

from dataclasses import dataclass

from conversations.models import Conversation
from routing.bots import scenario
from routing.bots.runner import plan_of
from routing.models import BotRun, ProgramRun


@dataclass(frozen=True, slots=True)
class Line:
    """A question of the bot, or the name of a value that was set or called for, and its answer."""

    question: str
    answer: str


def summary_of(conversation: Conversation, *, language: str) -> list[Line]:
    """Return what the bot of a conversation learnt, in the order of its steps; questions in
    ``language`` where they exist in it. Empty if the scenario says that agents get no summary."""
    run = BotRun.objects.select_related("version__bot__website").filter(
        conversation=conversation.pk
    )
    if (found := run.first()) is not None:
        return _of_scenario(found, language)
    program = ProgramRun.objects.filter(conversation=conversation.pk).first()
    return [Line(name, value) for name, value in program.values.items()] if program else []


def _of_scenario(run: BotRun, language: str) -> list[Line]:
    if not run.owed.get("summary", True):
        return []
    plan = plan_of(run.version)
    left = dict(run.state["values"])
    lines = []
    for step_id in dict.fromkeys(run.trail):
        step = plan.steps.get(step_id, {})
        name = step.get("name", "")
        if step.get("kind") == scenario.ASK and name in left:
            lines.append(Line(plan.text(step["text"], language), left.pop(name)))
    return lines + [Line(name, value) for name, value in left.items() if value]
