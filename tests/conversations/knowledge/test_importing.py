"""Importing articles from a folder of Markdown files or a CSV file."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Website
from conversations.models import Article, ArticleState, Audience
from tests.factories import ArticleFactory, WebsiteFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def website() -> Website:
    return WebsiteFactory(key="celeste", language="fr")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    (folder / "en").mkdir(parents=True)
    (folder / "retours.md").write_text("# Retours\n\nSous 14 jours.\n", "utf-8")
    (folder / "delais-de-livraison.md").write_text("Sous 48 heures.\n", "utf-8")
    (folder / "en" / "returns.md").write_text("# Returns\n\nWithin 14 days.\n", "utf-8")
    (folder / "notes.txt").write_text("not an article")
    return folder


def run(path: Path, *options: str) -> str:
    from io import StringIO

    out = StringIO()
    call_command("import_articles", str(path), "--website", "celeste", *options, stdout=out)
    return out.getvalue().strip()


def test_a_folder_becomes_articles(website: Website, folder: Path) -> None:
    assert run(folder) == "3 added, 0 changed."
    rows = Article.objects.order_by("source").values_list("source", "name", "body", "language")
    assert list(rows) == [
        ("delais-de-livraison.md", "delais de livraison", "Sous 48 heures.", "fr"),
        ("en/returns.md", "Returns", "Within 14 days.", "en"),
        ("retours.md", "Retours", "Sous 14 jours.", "fr"),
    ]
    assert {row.state for row in Article.objects.all()} == {ArticleState.DRAFT}


def test_a_second_import_changes_only_the_text(website: Website, folder: Path) -> None:
    run(folder, "--publish", "--agents-only")
    Article.objects.filter(source="retours.md").update(
        state=ArticleState.DRAFT, audience=Audience.PUBLIC
    )
    assert run(folder, "--publish") == "0 added, 0 changed."
    (folder / "retours.md").write_text("# Retours\n\nSous 30 jours.\n", "utf-8")
    assert run(folder, "--publish") == "0 added, 1 changed."
    changed = Article.objects.get(source="retours.md")
    assert (changed.state, changed.audience) == (ArticleState.DRAFT, Audience.PUBLIC)
    assert "30 jours" in changed.text
    assert Article.objects.get(source="en/returns.md").audience == Audience.AGENTS


def test_a_csv_file_becomes_articles(website: Website, tmp_path: Path) -> None:
    file = tmp_path / "articles.csv"
    file.write_text(
        '\ufeffid,title,text,language\n7,Retours,"Sous 14 jours,\n\n- sans frais",\n'
        "8,Returns,Within 14 days,en\n",
        "utf-8",
    )
    assert run(file, "--publish") == "2 added, 0 changed."
    assert run(file) == "0 added, 0 changed."
    french = Article.objects.get(source="csv:7")
    assert (french.body, french.language) == ("Sous 14 jours,\n\n- sans frais", "fr")
    assert french.state == ArticleState.PUBLISHED


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", b"title,body\nx,y\n", "no column"),
        ("a.csv", b"title,text\n,y\n", "no title"),
        ("a.csv", b"title,text,language\nx,y,klingon\n", "klingon"),
        ("a.csv", b"title,text\nx,\xff\xfe\n", "not a CSV file"),
        ("folder/b.md", b"# Only a title\n", "no title or no text"),
        ("folder/b.md", b"\xff\xfe", "not UTF-8"),
        ("folder/b.md", b"x" * 200_001, "too large"),
        ("folder/b.md", b"x" * 50_001, "too large"),
    ],
)
def test_if_one_is_unusable_none_is_imported(
    website: Website, tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    if name.startswith("folder"):
        path = path.parent
        (path / "a.md").write_text("# Good\n\nText.")
    with pytest.raises(CommandError, match=problem):
        run(path)
    assert not Article.objects.exists()


def test_an_unknown_website_or_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="celeste"):
        run(tmp_path)
    WebsiteFactory(key="celeste")
    with pytest.raises(CommandError, match="does not exist"):
        run(tmp_path / "nowhere")


def test_articles_that_were_written_here_are_left_alone(website: Website, folder: Path) -> None:
    own = ArticleFactory(website=website, name="Retours", body="Ici.")
    run(folder)
    own.refresh_from_db()
    assert own.body == "Ici."
