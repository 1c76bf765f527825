"""A clock that stands still, and the stand-ins of providers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.clock import clock  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from tests.messenger.channels.stand_in import Provider


@pytest.fixture
def telegram(settings: Any) -> Iterator[Provider]:
    """Telegram's API, which the product calls during the test."""
    from tests.messenger.channels.stand_in import running

    settings.PROVIDERS_MAY_BE_PRIVATE = True
    with running("tests.messenger.channels.telegram_server") as provider:
        settings.CHANNEL_APIS = {"telegram": provider.url}
        yield provider


@pytest.fixture
def whatsapp(settings: Any) -> Iterator[Provider]:
    """WhatsApp's API."""
    from tests.messenger.channels.stand_in import running

    settings.PROVIDERS_MAY_BE_PRIVATE = True
    with running("tests.messenger.channels.whatsapp_server") as provider:
        settings.CHANNEL_APIS = {"whatsapp": provider.url}
        yield provider
