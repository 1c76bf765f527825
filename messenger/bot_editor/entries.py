"""What was entered in the form of a step, as the step's data."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from django.http import QueryDict

from messenger.bot_editor.forms import LINKS, StepForm
from routing.bots import scenario
from routing.bots.scenario import Step

DIGITS = 9  # Python reads no number of more than 4300 digits; none of these needs ten.


def entered(step: Step, sent: QueryDict, form: StepForm) -> dict[str, Any]:
    """Return the step with what was entered. Whether it is valid, ``scenario.check`` decides."""
    readers: dict[str, Callable[[], dict[str, Any]]] = {
        scenario.ASK: lambda: _asked(step, sent, form.languages),
        scenario.CARDS: lambda: {"cards": _cards_sent(step, sent, form.languages)},
        scenario.CONDITION: lambda: {"branches": _branches_sent(sent)},
        scenario.SET: lambda: _set_sent(sent, form.skills),
        scenario.CALL: lambda: _call_sent(sent),
    }
    new: dict[str, Any] = {"id": step["id"], "kind": step["kind"]}
    if title := sent.get("title", "").strip():
        new["title"] = title
    if any(name.startswith("text_") for name in sent):
        new["text"] = _texts_sent(sent, "text", form.languages)
    for name in ("next", "failed", "otherwise"):
        if name in sent:
            new[name] = sent[name]
    for name in ("rule", "no_room"):
        if sent.get(name):
            new[name] = sent[name]
    if step["kind"] == scenario.ESCALATE:
        new["summary"] = step.get("summary", True)
    return new | readers.get(step["kind"], dict)()


def people_entered(sent: QueryDict, languages: tuple[str, ...]) -> dict[str, Any]:
    """Return what was entered about visitors who ask for a person."""
    people: dict[str, Any] = {}
    if rule := sent.get("rule", ""):
        people["rule"] = rule
    if text := _texts_sent(sent, "text", languages):
        people["text"] = text
    words = {
        code: [line.strip() for line in text.splitlines() if line.strip()]
        for code, text in _texts_sent(sent, "words", languages).items()
    }
    return people | ({"words": words} if words else {})


def _texts_sent(sent: QueryDict, name: str, languages: tuple[str, ...]) -> dict[str, str]:
    texts = {code: sent.get(f"{name}_{code}", "").replace("\r\n", "\n") for code in languages}
    return {code: text.strip() for code, text in texts.items() if text.strip()}


def _asked(step: Step, sent: QueryDict, languages: tuple[str, ...]) -> dict[str, Any]:
    new: dict[str, Any] = {"answer": sent.get("answer", step["answer"])}
    for name in ("name", "pattern"):
        if value := sent.get(name, "").strip():
            new[name] = value
    if retry := _texts_sent(sent, "retry", languages):
        new["retry"] = retry
    tries = sent.get("tries", "")
    if tries.isdecimal() and len(tries) <= DIGITS:
        new["tries"] = int(tries)
    for name in ("least", "most"):
        if value := sent.get(name, "").strip().replace(",", "."):
            new[name] = _number(value)
    choices = [
        {
            "text": _texts_sent(sent, f"choice_{number}", languages),
            "next": sent.get(f"choice_{number}_next", ""),
        }
        for number in range(8)
        if f"choice_{number}_next" in sent
    ]
    # A question that is not about choices at the moment does not lose them.
    listed = choices or step.get("choices", [])
    new["choices"] = [one for one in listed if one["text"] or one["next"]]
    new.setdefault("next", step.get("next", ""))
    if "next" in sent:
        new["next"] = sent["next"]
    return new


def _number(value: str) -> float | str:
    """Return what was entered as a number if it is one; else the text, which the check refuses."""
    try:
        number = float(value)
    except ValueError:
        return value
    if not math.isfinite(number):  # "nan" and "1e999" are no limits.
        return value
    return int(number) if number.is_integer() else number


def _cards_sent(step: Step, sent: QueryDict, languages: tuple[str, ...]) -> list[dict[str, Any]]:
    cards = []
    for number in range(6):
        title = _texts_sent(sent, f"card_{number}_title", languages)
        if not title:
            continue
        card: dict[str, Any] = {"title": title}
        if text := _texts_sent(sent, f"card_{number}_text", languages):
            card["text"] = text
        if image := sent.get(f"card_{number}_image", "").strip():
            card["image"] = image
        links = [
            {
                "text": _texts_sent(sent, f"card_{number}_link_{nth}", languages),
                "url": url,
            }
            for nth in range(1, LINKS + 1)
            if (url := sent.get(f"card_{number}_link_{nth}_url", "").strip())
        ]
        cards.append(card | ({"links": links} if links else {}))
    return cards or list(step["cards"])


def _branches_sent(sent: QueryDict) -> list[dict[str, Any]]:
    return [
        {
            "source": sent[f"branch_{number}_source"],
            "name": sent.get(f"branch_{number}_name", "").strip(),
            "operator": sent.get(f"branch_{number}_operator", "is"),
            "value": sent.get(f"branch_{number}_value", "").strip(),
            "next": sent.get(f"branch_{number}_next", ""),
        }
        for number in range(10)
        if sent.get(f"branch_{number}_source")
    ]


def _set_sent(sent: QueryDict, skills: tuple[str, ...]) -> dict[str, Any]:
    required = [skill for number, skill in enumerate(skills) if f"skill_{number}" in sent]
    return {"data": _pairs(sent.get("data", "")), "skills": required}


def _call_sent(sent: QueryDict) -> dict[str, Any]:
    seconds = sent.get("seconds", "")
    return {
        "method": sent.get("method", "GET"),
        "url": sent.get("url", "").strip(),
        "body": _pairs(sent.get("body", "")),
        "answers": _pairs(sent.get("answers", "")),
        "seconds": int(seconds) if seconds.isdecimal() and len(seconds) <= DIGITS else 5,
    }


def _pairs(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _equals, value in pairs}
