"""What a bot writes when the knowledge has an answer: with its sources, or nothing (B23)."""

from __future__ import annotations

from collections.abc import Sequence

from routing.bots.plays import Found, Phrased, Quote

LIMIT = 4000


def message_of(found: Found) -> str:
    """Return the phrased answer if each of its sentences has a source, otherwise the quoted
    passage; empty if there is neither."""
    language = found.facts.language
    return _phrased(found.phrased) or (_quoted(found.quote, language) if found.quote else "")


def _phrased(phrased: Phrased | None) -> str:
    if phrased is None or not phrased.sentences or not all(map(_is_source, phrased.sources)):
        return ""
    lines = []
    for text, numbers in phrased.sentences:
        if not text or not numbers or not all(1 <= n <= len(phrased.sources) for n in numbers):
            return ""
        lines.append(f"{text} {''.join(f'[{n}]' for n in numbers)}")
    message = "\n".join(lines) + "\n\n" + "\n".join(_listed(phrased.sources))
    return message if len(message) <= LIMIT else ""


def _quoted(quote: Quote, language: str) -> str:
    if not quote.text or not _is_source(quote):
        return ""
    is_french = language.partition("-")[0] == "fr"
    marks = "«\u00a0{}\u00a0»" if is_french else "“{}”"
    source = f"\n\n{quote.title}\n{quote.url}"
    # Nothing of the source is ever cut.
    return marks.format(quote.text[: LIMIT - len(source) - 4]) + source


def _is_source(quote: Quote) -> bool:
    return bool(quote.title and quote.url)


def _listed(sources: Sequence[Quote]) -> list[str]:
    return [f"[{n}] {source.title}\n{source.url}" for n, source in enumerate(sources, start=1)]
