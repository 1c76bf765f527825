"""What has changed between two versions of a scenario, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from routing.bots.problem_texts import field_name
from routing.bots.scenario import Scenario, Step

SHOWN = 60  # characters of a text


def differences(old: Scenario, new: Scenario) -> list[str]:
    """Return a sentence for each difference, in the order of the new version's steps."""
    before, after = old.steps, new.steps
    changes = []
    if old.start != new.start:
        changes.append(_("The first step is now “%(step)s”.") % {"step": name_of(new, new.start)})
    for name in after:
        if name not in before:
            changes.append(_("Step “%(step)s” was added.") % {"step": name_of(new, name)})
        elif before[name] != after[name]:
            changes += _of_step(new, name, before[name], after[name])
    for name in before:
        if name not in after:
            changes.append(_("Step “%(step)s” was deleted.") % {"step": name_of(old, name)})
    if old.people != new.people:
        changes.append(_("What happens when a visitor asks for a person was changed."))
    return changes


def name_of(plan: Scenario, step_id: str) -> str:
    """Return how people call a step: its title, else its id."""
    return str(plan.steps.get(step_id, {}).get("title") or step_id)


def _of_step(plan: Scenario, name: str, before: Step, after: Step) -> list[str]:
    title = name_of(plan, name)
    old, new = _flat(before), _flat(after)
    changes = []
    for path in [*new, *(path for path in old if path not in new)]:
        if old.get(path) == new.get(path):
            continue
        values = {
            "step": title,
            "field": _label(path),
            "old": _cut(old.get(path, "")),
            "new": _cut(new.get(path, "")),
        }
        if path not in old or old[path] == "":
            changes.append(_("Step “%(step)s”, %(field)s: “%(new)s” was added.") % values)
        elif path not in new or new[path] == "":
            changes.append(_("Step “%(step)s”, %(field)s: “%(old)s” was removed.") % values)
        else:
            changes.append(_("Step “%(step)s”, %(field)s: “%(old)s” is now “%(new)s”.") % values)
    return changes


def _label(path: str) -> str:
    last = path.rsplit("/", 1)[-1]
    name = field_name(path)
    is_language = len(last) == 2 and "/" in path
    return f"{name} ({last.upper()})" if is_language else name


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Return all plain values of a step by their path."""
    if isinstance(value, Mapping):
        parts = list(value.items())
    elif isinstance(value, list | tuple):
        parts = [(str(number), one) for number, one in enumerate(value)]
    else:
        return {path: str(value)}
    texts: dict[str, str] = {}
    for name, one in parts:
        texts |= _flat(one, f"{path}/{name}" if path else str(name))
    return texts
