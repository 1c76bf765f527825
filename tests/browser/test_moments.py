"""Scripts of a page format times as the server does (C79)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from accounts import moments
from tests.browser.conftest import Crowd

NOW = datetime(2026, 11, 28, 14, 5, 9, tzinfo=UTC)
TIMES = [
    NOW,
    NOW - timedelta(days=1),
    NOW + timedelta(days=1),
    NOW + timedelta(hours=9, minutes=55),
]
TIMES += [
    datetime(year, month, 1, month, tzinfo=UTC) for year in (2025, 2026) for month in range(1, 13)
]
LENGTHS = [0, 1, 59, 60, 61, 3599, 3600, 3725, 86399, 86400, 90061, 400 * 86400]
TELL = """async ([times, lengths, now]) => {
  const { duration, ...told } = await import("/static/shared/moments.js");
  const forms = ["clock", "longDay", "moment", "nearMoment"];
  return [
    times.map((at) => forms.map((form) => told[form](at, "UTC", now))),
    lengths.map(duration),
  ];
}"""


@pytest.mark.parametrize("language", ["en", "fr"])
def test_script_and_server_format_times_alike(crowd: Crowd, language: str) -> None:
    page = crowd.context(locale=language).new_page()
    page.goto(f"{crowd.product.url}/login/")
    assert page.locator("html").get_attribute("lang") == language
    given = [
        [at.timestamp() * 1000 for at in TIMES],
        [length * 1000 for length in LENGTHS],
        NOW.timestamp() * 1000,
    ]
    with translation.override(language):
        expected = [
            [
                [
                    moments.clock(at),
                    moments.long_day(at.date()),
                    moments.moment(at, now=NOW),
                    moments.near_moment(at, now=NOW),
                ]
                for at in TIMES
            ],
            [moments.duration(timedelta(seconds=length)) for length in LENGTHS],
        ]
    assert page.evaluate(TELL, given) == expected


def test_mailbox_shows_times_in_the_readers_zone(crowd: Crowd) -> None:
    folder = crowd.product.var / "mail"
    folder.mkdir(exist_ok=True)
    mail = folder / "00-moment.eml"
    mail.write_text("From: a@example.com\nTo: b@example.com\nSubject: Moment\n\nHello")
    for zone, hour in (("Asia/Tokyo", 9), ("America/Lima", -5)):
        page = crowd.context(locale="en-GB", timezone_id=zone).new_page()
        page.goto(f"{crowd.product.url}/demo/mail/")
        written = datetime.fromtimestamp(mail.stat().st_mtime, UTC) + timedelta(hours=hour)
        row = page.get_by_role("link").filter(has_text="Moment")
        row.get_by_text(f"{written:%H:%M}").wait_for()
    mail.unlink()
