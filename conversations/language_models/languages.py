"""Who reads which languages: pure functions on codes such as "fr" and "pt-BR"."""

from __future__ import annotations

from django.conf import settings
from django.conf.locale import LANG_INFO


def base(code: str) -> str:
    """Return a code without its region, in small letters; empty if there is none."""
    return code.strip().lower().replace("_", "-").partition("-")[0]


def of_agent(listed: str, website: str) -> tuple[str, ...]:
    """Return the languages of an agent, from what is entered for them: the first is the one that
    translations are made in."""
    codes = [base(one) for one in listed.split(",")]
    return tuple(dict.fromkeys(code for code in codes if code)) or (base(website),)


def of_visitor(messenger: str, page: str) -> str:
    """Return the language in which a visitor writes.

    The Messenger speaks only the languages of the product. A page in a language that it lacks says
    more about its reader than the language that the Messenger had to choose instead.
    """
    ours = {base(code) for code, _name in settings.LANGUAGES}
    on_page = base(page)
    is_foreign = on_page in LANG_INFO and on_page not in ours
    return on_page if is_foreign else base(messenger)
