"""Exports: the same rows as the list, complete, in chunks, and harmless to a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from accounts.models import Role, User
from conversations.lifecycle import denormalized
from conversations.models import Survey
from reporting.exports import row_files, workbook
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk

HOSTILE = [
    "=1+1",
    "+SUM(A1)",
    "-2+3",
    "@cmd",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\0=1+1",
    '"=1+1',
    "'=1+1",
    "  =1+1",
    "|calc",
    "%0A=1",
    "＝1+1",
    '=HYPERLINK("http://x")',
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_like_formulas_are_escaped(text: str) -> None:
    escaped = row_files.harmless(text)
    assert escaped.startswith("'")
    assert "\0" not in escaped
    assert escaped.endswith(text.replace("\0", ""))


@pytest.mark.parametrize("text", ["", "Merci", "-12", "-1,5", "3.14", "Très bien = parfait", "#12"])
def test_harmless_texts_are_unchanged(text: str) -> None:
    assert row_files.harmless(text) == text


@async_to_sync
async def fetch(user: User, address: str) -> tuple[dict[str, str], bytes]:
    client = AsyncClient()
    await client.aforce_login(user)
    response = await client.get(address)
    assert response.status_code == 200
    body = b"".join([block async for block in response.streaming_content])  # type: ignore[union-attr]
    return dict(response.headers), body


@pytest.fixture
def rated() -> User:
    """Three comments of one website, the last of which is hostile, and one of another website."""
    manager = UserFactory(role=Role.MANAGER)
    steps = [StepFactory(), StepFactory()]
    steps[0].group.managers.add(manager)
    for step, comment in (
        (steps[0], "Merci; c’était parfait"),
        (steps[0], 'Deux\nlignes et "guillemets"'),
        (steps[0], "=1+1"),
        (steps[1], "secret"),
    ):
        agent = AgentFactory(display_name="=Alice")
        step.group.members.add(agent)
        conversation = on_desk(step, agent, at=NOW)
        Survey.objects.create(
            conversation=conversation,
            **denormalized.copied(conversation),
            agent=agent,
            group=step.group,
            offered_at=NOW,
            answered_at=NOW,
            csat=5,
            nps=10,
            comment=comment,
        )
    return manager


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
class TestFiles:
    @pytest.mark.parametrize("chunk", [1, 2, 2000])
    def test_a_csv_has_every_row_once_for_any_chunk_size(
        self, rated: User, chunk: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(row_files, "CHUNK", chunk)
        headers, body = fetch(rated, "/reports/rows/comments.csv?period=today")
        assert 'filename="comments-20350305-20350305.csv"' in headers["Content-Disposition"]
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"))
        assert rows[0][:2] == ["Conversation", "When"]
        assert [line[8] for line in rows[1:]] == [
            "Merci; c’était parfait",
            'Deux\nlignes et "guillemets"',
            "'=1+1",
        ]
        assert {line[4] for line in rows[1:]} == {"'=Alice"}
        assert {line[1] for line in rows[1:]} == {"2035-03-05 10:00:00"}

    def test_a_workbook_contains_texts_and_no_formulas(self, rated: User) -> None:
        _, body = fetch(rated, "/reports/rows/comments.xlsx?period=today")
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "=1+1" in sheet
        assert "secret" not in sheet
        assert re.search(r"<f[ >]", sheet) is None
        assert sheet.count("<row>") == 4

    def test_rows_beyond_a_sheet_continue_on_the_next(
        self, rated: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workbook, "SHEET_ROWS", 3)
        _, body = fetch(rated, "/reports/rows/comments.xlsx?period=today")
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            assert "xl/worksheets/sheet2.xml" in book.namelist()

    def test_an_empty_report_can_be_downloaded(self, rated: User) -> None:
        for kind in row_files.KINDS:
            _, body = fetch(rated, f"/reports/rows/transactions.{kind}")
            assert body

    def test_unknown_kinds_and_figures_are_not_found(self, rated: User) -> None:
        for address in ("comments.exe", "happiness.csv"):
            client = AsyncClient()
            client.force_login(rated)
            assert async_to_sync(client.get)(f"/reports/rows/{address}").status_code == 404
