"""Choice of the targeting rule for a page view: a pure function of what the page reports.

The report (``PageView``) comes from a browser and may be a lie. It decides what is offered, never
what somebody may see.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.patterns import Address

Value = str | float | bool

URL_LIMIT = 2000
NAME_LIMIT = 60
TEXT_LIMIT = 200
DATA_LIMIT = 50  # names
NUMBER_LIMIT = 1_000_000  # pages, seconds

PHONE, TABLET, DESKTOP = "phone", "tablet", "desktop"
ANYBODY, NEW, RETURNING = "anybody", "new", "returning"
ALWAYS, OPEN, CLOSED = "always", "open", "closed"
IS, IS_NOT, CONTAINS = "is", "is_not", "contains"
AT_LEAST, AT_MOST = "at_least", "at_most"
KNOWN, UNKNOWN = "known", "unknown"

TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True, slots=True)
class PageView:
    """One page in front of a visitor, as it reports itself.

    ``pages`` counts this one and the known ones of this visit; ``seconds`` since it was opened.
    """

    url: str = ""
    language: str = ""
    device: str = ""
    pages: int = 1
    seconds: int = 0
    is_returning: bool = False
    data: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def read(cls, sent: Mapping[str, Any]) -> PageView:
        """Read a request's JSON; ignore what has the wrong type or is too large."""
        data = sent.get("data")
        return cls(
            url=_text(sent.get("url"), URL_LIMIT),
            language=_text(sent.get("language"), 35),
            device=_text(sent.get("device"), 10),
            pages=max(_whole(sent.get("pages")), 1),
            seconds=_whole(sent.get("seconds")),
            is_returning=sent.get("returning") is True,
            data=dict(_values(data)) if isinstance(data, dict) else {},
        )


def _text(value: object, limit: int) -> str:
    return value if isinstance(value, str) and len(value) <= limit else ""


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value <= NUMBER_LIMIT else 0


def _values(data: dict[str, Any]) -> Iterable[tuple[str, Value]]:
    for name, value in list(data.items())[:DATA_LIMIT]:
        if len(name) > NAME_LIMIT:
            continue
        if isinstance(value, bool) or (isinstance(value, str) and len(value) <= TEXT_LIMIT):
            yield name, value
        # Up to here, a float has every whole number.
        elif isinstance(value, int | float) and abs(value) < 1e15:  # not NaN, not infinite
            yield name, float(value)


@dataclass(frozen=True, slots=True)
class Condition:
    """What the website must report under ``name``."""

    name: str
    operator: str
    value: str = ""

    def holds(self, data: Mapping[str, Value]) -> bool:
        """Unknown data fulfil only ``unknown`` and ``is_not``."""
        value = data.get(self.name)
        match self.operator:
            case "known":
                return value is not None
            case "unknown":
                return value is None
            case "is":
                return value is not None and _equal(value, self.value)
            case "is_not":
                return value is None or not _equal(value, self.value)
            case "contains":
                return isinstance(value, str) and self.value.casefold() in value.casefold()
            case "at_least" | "at_most":
                there, asked = number(value), number(self.value)
                if there is None or asked is None:
                    return False
                return there >= asked if self.operator == AT_LEAST else there <= asked
        return False


def _equal(value: Value, asked: str) -> bool:
    asked = asked.strip().casefold()
    if isinstance(value, bool):
        return asked in (TRUE if value else FALSE)
    if isinstance(value, str):
        return value.strip().casefold() == asked
    return value == number(asked)


def number(value: object) -> float | None:
    """Return ``value`` as a finite number, or ``None``; booleans are not numbers."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except ValueError:
        return None
    return number if math.isfinite(number) else None


@dataclass(frozen=True, slots=True)
class Target:
    """A targeting rule as plain data. An empty field sets no condition; all conditions must hold.

    ``texts`` is the proactive text by language; without one there is only a button.
    ``shows_when_closed``: the button is shown while the team is away, and says when it is back.
    ``calls_rule_id`` is the distribution rule of those who ask for a call, if calls are offered.
    """

    id: int
    rule_id: int
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    audience: str = ANYBODY
    seconds: int = 0
    pages: int = 1
    conditions: tuple[Condition, ...] = ()
    hours: str = ALWAYS
    shows_when_closed: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)
    skills: tuple[int, ...] = ()
    calls_rule_id: int | None = None

    def fits(self, view: PageView, address: Address | None) -> bool:
        """Return whether everything holds except the hours and the time spent on the page."""
        return (
            self._is_page(address)
            and (not self.languages or any(_speaks(view.language, one) for one in self.languages))
            and (not self.devices or view.device in self.devices)
            and (self.audience == ANYBODY or view.is_returning == (self.audience == RETURNING))
            and view.pages >= self.pages
            and all(condition.holds(view.data) for condition in self.conditions)
        )

    def _is_page(self, address: Address | None) -> bool:
        if not self.include and not self.exclude:
            return True
        if address is None:  # An unknown page matches no pattern.
            return False
        if any(address.matches(pattern) for pattern in self.exclude):
            return False
        return not self.include or any(address.matches(pattern) for pattern in self.include)


def _speaks(language: str, asked: str) -> bool:
    """``fr`` matches French of any country, ``fr-CA`` only that of Canada."""
    spoken, wanted = (one.lower().replace("_", "-") for one in (language, asked))
    return spoken == wanted or spoken.startswith(f"{wanted}-")


@dataclass(frozen=True, slots=True)
class Hours:
    """Whether a group of a rule is open now, and in how many seconds that changes."""

    is_open: bool = True
    changes_in: int | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """The targeting rule that decides, if there is one.

    ``again_in``: seconds after which, by time alone, another one will.
    """

    target: Target | None = None
    again_in: int | None = None


def first_match(
    targets: Iterable[Target], view: PageView, hours_of: Callable[[Target], Hours]
) -> Match:
    """Return the first targeting rule, in the website's order, that matches a page view (R39)."""
    address = Address.of(view.url)
    later: list[int] = []
    for target in targets:
        if not target.fits(view, address):
            continue
        wait = _wait(target, view, hours_of)
        if wait == 0:
            return Match(target, min(later, default=None))
        if wait is not None:
            later.append(wait)
    return Match(None, min(later, default=None))


def _wait(target: Target, view: PageView, hours_of: Callable[[Target], Hours]) -> int | None:
    """Return the seconds until time alone makes ``target`` match: 0 now, ``None`` unforeseeable."""
    wait = max(target.seconds - view.seconds, 0)
    if target.hours == ALWAYS:
        return wait
    hours = hours_of(target)
    if hours.is_open == (target.hours == OPEN):
        return wait
    return None if hours.changes_in is None else max(wait, hours.changes_in, 1)
