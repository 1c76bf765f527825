"""What a connector is: the one class that knows a provider. docs/channels.md shows how to write
one.

Everything that comes from a provider may come from an attacker, until ``verify`` has returned.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from conversations.inboxes.kinds import Kind, Limits
from conversations.inboxes.templates import ApprovedTemplate
from conversations.models import Inbox


class Forged(Exception):
    """A request does not prove that it comes from the provider."""


class Unreadable(Exception):
    """A request of the provider is not what its documentation says."""


class Later(Exception):
    """A call failed and may succeed later. ``seconds`` is how long the provider asks to wait."""

    def __init__(self, reason: str, *, seconds: float = 0) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Disconnected(Later):
    """The provider does not accept the inbox's own credentials: no message would fare better."""


class Undeliverable(Exception):
    """The provider will never deliver this message. The text says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the inbox's door. The names of ``headers`` are in lower case."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that the provider holds. ``reference`` is what ``Connector.fetch`` needs."""

    reference: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message of a person. ``provider_id`` is unique in the inbox, and ``address`` is what
    answers are sent to. ``sent_at`` is in ISO 8601, by the provider's clock."""

    provider_id: str
    address: str
    text: str = ""
    name: str = ""
    language: str = ""
    sent_at: str = ""
    files: Sequence[RemoteFile] = ()
    original: Mapping[str, Any] | None = None
    """Of an e-mail: sender, subject, text, file_names and size, for "Full e-mail"."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> Incoming:
        files = tuple(RemoteFile(**file) for file in stored["files"])
        return cls(**{**stored, "files": files})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message that was sent: ``status`` is one of ``OutboundStatus``.
    ``reference`` is that of ``Outgoing``, if the provider repeats it."""

    provider_id: str
    status: str
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to a person. ``id`` is the same in each attempt. ``choices`` are shown as buttons
    below ``question`` where the provider has them; ``text`` names them in words. ``template`` has
    the name, the language and the values of a template, of which ``text`` is the result."""

    id: uuid.UUID
    address: str
    text: str = ""
    choices: Sequence[str] = ()
    question: str = ""
    template: dict[str, Any] | None = None
    file: OutgoingFile | None = None
    conversation_id: int | None = None

    @property
    def reference(self) -> str:
        """What a provider can repeat in its receipts."""
        return f"{self.conversation_id}/{self.id}"


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that an administrator enters for an inbox. ``name`` is ``token``, ``secret`` or a
    key of ``Inbox.options``."""

    name: str
    label: Any
    help_text: Any = ""
    is_required: bool = True
    is_long: bool = False


class Connector(ABC):
    """A connector; it has no state. Its calls may block, and run in a worker, except ``verify`` and
    ``parse``."""

    kind: ClassVar[str]
    label: ClassVar[Any]
    icon: ClassVar[str] = "messages-square"
    limits: ClassVar[Limits] = Limits()
    settings: ClassVar[Sequence[Setting]] = ()
    makes_secret: ClassVar[bool] = False
    """The secret is made by the product and not entered."""

    @abstractmethod
    def verify(self, inbox: Inbox, request: Request) -> None:
        """Raise ``Forged`` unless the request comes from the provider."""

    @abstractmethod
    def parse(self, inbox: Inbox, request: Request) -> Sequence[Incoming | Receipt]:
        """Return the news in a verified request; raise ``Unreadable`` if it is none. What is of no
        interest is left out."""

    @abstractmethod
    def send(self, inbox: Inbox, outgoing: Outgoing) -> str:
        """Send a message; return its id at the provider. Raise ``Later``, ``Disconnected`` or
        ``Undeliverable``."""

    def fetch(self, inbox: Inbox, file: RemoteFile) -> bytes:
        """Return the content of a file; raise ``Later`` or ``Undeliverable``."""
        raise Undeliverable("this channel has no files")

    def challenge(self, inbox: Inbox, request: Request) -> str:
        """Return the answer to a GET by which a provider checks the door; raise ``Forged``."""
        raise Forged

    def connect(self, inbox: Inbox, door: str) -> None:  # noqa: B027 - most need none
        """Tell the provider the address of the door, after the inbox was saved; raise ``Later``,
        ``Disconnected`` or ``Undeliverable``."""

    def templates(self, inbox: Inbox) -> list[ApprovedTemplate]:
        """Return the texts that the provider has approved; raise as ``connect`` does."""
        return []

    @classmethod
    def as_kind(cls) -> Kind:
        return Kind(cls.kind, cls.label, cls.icon, cls.limits)
