"""Facts about accounts, for reactions."""

from __future__ import annotations

from dataclasses import dataclass

from core.events.facts import Fact


@dataclass(frozen=True, slots=True)
class PasswordForgotten(Fact):
    """Somebody asked for links to choose a new password. There are no users if what they typed is
    unknown: the fact is published all the same, so that the answer takes as long."""

    user_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AccountSecured(Fact):
    """A user's password, address or another proof changed: they are told by e-mail.

    ``event`` is a value of ``accounts.logins.notices.Event``. ``address`` is where the mail goes if
    it is not the account's present address; ``at`` is in ISO 8601.
    """

    user_id: int
    event: str
    at: str
    place: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class EmailChangeAsked(Fact):
    """A user wants another e-mail address, which must be confirmed from its mailbox."""

    user_id: int
    email: str
