"""The list of connectors, as urls.py is of URLs. A new connector is one line here."""

from __future__ import annotations

from messenger.channels.connector import Connector
from messenger.channels.email.connector import Email
from messenger.channels.gateway import Gateway
from messenger.channels.telegram import Telegram
from messenger.channels.whatsapp.connector import WhatsApp

CONNECTORS: tuple[Connector, ...] = (Email(), Telegram(), WhatsApp(), Gateway())

_by_kind = {connector.kind: connector for connector in CONNECTORS}


def of(kind: str) -> Connector | None:
    """Return the connector of this kind; ``None`` if it is not installed any more."""
    return _by_kind.get(kind)


def add(connector: Connector) -> None:
    """Install a connector that is not in the list, such as one of a plug-in."""
    _by_kind[connector.kind] = connector


def every() -> list[Connector]:
    return list(_by_kind.values())
