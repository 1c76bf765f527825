"""Greetings with choices become published scenarios; bots without a greeting are programs."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone


def scenario_of(greeting: str, choices: list[str], language: str) -> dict[str, Any]:
    """Return the scenario that says a greeting and passes on whatever the visitor answers."""
    asked: dict[str, Any] = {
        "id": "greeting",
        "kind": "ask",
        "text": {language: greeting},
        "failed": "people",
    }
    if choices:
        asked |= {
            "answer": "choice",
            "name": "topic",
            "choices": [{"text": {language: choice}, "next": "people"} for choice in choices],
            "tries": 1,
        }
    else:
        asked |= {"answer": "text", "next": "people"}
    people = {"id": "people", "kind": "escalate", "summary": True}
    return {"format": 1, "start": "greeting", "steps": [asked, people]}


def greeting_of(scenario: dict[str, Any], language: str) -> tuple[str, list[str]]:
    """Return the first text of a scenario and the choices below it, in a language or any."""
    steps = {step["id"]: step for step in scenario["steps"]}
    step = steps.get(scenario["start"], {})

    def text(texts: dict[str, str]) -> str:
        return texts.get(language) or next(iter(texts.values()), "")

    choices = [text(choice["text"]) for choice in step.get("choices", [])]
    return text(step.get("text", {})), [choice for choice in choices if choice]


def to_scenarios(apps: Any, schema_editor: Any) -> None:
    Bot = apps.get_model("routing", "Bot")
    BotVersion = apps.get_model("routing", "BotVersion")
    for bot in Bot.objects.select_related("website"):
        if not bot.greeting.strip():
            bot.kind = "program"
            bot.save(update_fields=["kind"])
            continue
        choices = [" ".join(line.split()) for line in bot.choices.splitlines() if line.strip()]
        bot.published = BotVersion.objects.create(
            bot=bot,
            number=1,
            scenario=scenario_of(bot.greeting, choices, bot.website.language),
            published_at=timezone.now(),
        )
        bot.save(update_fields=["published"])


def to_greetings(apps: Any, schema_editor: Any) -> None:
    """Restore what a greeting can hold of each published scenario."""
    Bot = apps.get_model("routing", "Bot")
    for bot in Bot.objects.select_related("website", "published").exclude(published=None):
        greeting, choices = greeting_of(bot.published.scenario, bot.website.language)
        bot.greeting, bot.choices = greeting, "\n".join(choices if greeting else [])
        bot.save(update_fields=["greeting", "choices"])


class Migration(migrations.Migration):
    dependencies = [("routing", "0012_scenarios")]

    operations = [migrations.RunPython(to_scenarios, to_greetings)]
