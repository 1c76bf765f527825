"""Two imports into a website do not run at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import connection

from messenger.moving import importing
from tests.factories import WebsiteFactory
from tests.messenger.moving.histories import STORY, import_lines


@pytest.mark.django_db(transaction=True)
def test_a_second_import_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    website = WebsiteFactory(key="vases")
    said: list[str] = []

    def second() -> None:
        try:
            said.append(import_lines(tmp_path, "vases", STORY, "--check"))
        except CommandError as error:
            said.append(str(error))
        finally:
            connection.close()

    for _attempt in range(2):
        with importing.alone(website):
            thread = threading.Thread(target=second)
            thread.start()
            thread.join()
    thread = threading.Thread(target=second)
    thread.start()
    thread.join()
    assert said[:2] == ["Another import into this website is running."] * 2
    assert "conversation: 1 imported" in said[2]
