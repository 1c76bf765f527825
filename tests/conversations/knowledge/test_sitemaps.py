"""Importing a sitemap from a real server: only the website's own pages, bounded, all or nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Website
from conversations.knowledge import sitemaps
from conversations.models import Article
from tests.factories import WebsiteFactory

pytestmark = pytest.mark.django_db

PAGE = "<html lang=en><title>{title}</title><main><h1>{title}</h1><p>{title} in words.</p></main>"


class Shop(BaseHTTPRequestHandler):
    """Serves ``files`` by path."""

    files: dict[str, bytes] = {}
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        content = self.files.get(self.path)
        if content is None:
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop() -> Iterator[str]:
    Shop.files, Shop.asked = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def website(shop: str, settings: Any) -> Website:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    website: Website = WebsiteFactory(domains=["127.0.0.1"], language="fr")
    return website


def sitemap(*places: str, kind: str = "urlset") -> bytes:
    inner = "".join(f"<url><loc>{place}</loc></url>" for place in places)
    return (
        f'<{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inner}</{kind}>'
    ).encode()


def imported(url: str, website: Website) -> None:
    call_command("import_articles", url, website=website.key, verbosity=0)


def test_pages_become_drafts_and_a_repeated_import_updates_them(
    shop: str, website: Website
) -> None:
    Shop.files = {
        "/sitemap.xml": sitemap(f"{shop}/more.xml", kind="sitemapindex"),
        "/more.xml": sitemap(f"{shop}/a", f"{shop}/b", f"{shop}/a", f"{shop}/empty"),
        "/a": PAGE.format(title="Returns").encode(),
        "/b": PAGE.format(title="Delivery").encode(),
        "/empty": b"<p></p>",
    }
    imported(f"{shop}/sitemap.xml", website)
    articles = Article.objects.order_by("name")
    assert [(one.name, one.body, one.language, one.state) for one in articles] == [
        ("Delivery", "Delivery in words.", "en", "draft"),
        ("Returns", "Returns in words.", "en", "draft"),
    ]
    Shop.files["/a"] = PAGE.format(title="Returns and refunds").encode()
    imported(f"{shop}/sitemap.xml", website)
    assert [one.name for one in articles.all()] == ["Delivery", "Returns and refunds"]
    assert Shop.asked.count("/a") == 2


def test_pages_of_others_are_not_fetched_and_nothing_is_imported(
    shop: str, website: Website
) -> None:
    Shop.files = {
        "/sitemap.xml": sitemap(f"{shop}/a", "https://elsewhere.example/"),
        "/a": PAGE.format(title="Returns").encode(),
    }
    with pytest.raises(CommandError, match=r"elsewhere\.example"):
        imported(f"{shop}/sitemap.xml", website)
    assert not Article.objects.exists()
    with pytest.raises(CommandError, match=r"not on a domain|domaine"):
        imported("https://elsewhere.example/sitemap.xml", website)


def test_the_private_network_is_not_called(shop: str, website: Website, settings: Any) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = False
    Shop.files = {"/sitemap.xml": sitemap(f"{shop}/a")}
    with pytest.raises(CommandError):
        imported(f"{shop}/sitemap.xml", website)
    assert Shop.asked == []


def test_redirects_are_not_followed(shop: str, website: Website) -> None:
    Shop.files = {"/sitemap.xml": sitemap(f"{shop}/moved")}
    with pytest.raises(CommandError, match="moved"):
        imported(f"{shop}/sitemap.xml", website)
    assert Shop.asked == ["/sitemap.xml", "/moved"]


BOMB = b"""<!DOCTYPE urlset [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c SYSTEM "file:///etc/passwd">]><urlset><url><loc>&b;&c;</loc></url></urlset>"""


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x00", b"<urlset>", b"{}", BOMB])
def test_what_is_no_sitemap_is_refused(shop: str, website: Website, content: bytes) -> None:
    Shop.files = {"/sitemap.xml": content}
    with pytest.raises(CommandError):
        imported(f"{shop}/sitemap.xml", website)
    assert not Article.objects.exists()


def test_a_sitemap_that_lists_itself_or_too_much_ends(
    shop: str, website: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    Shop.files = {"/sitemap.xml": sitemap(f"{shop}/sitemap.xml", kind="sitemapindex")}
    imported(f"{shop}/sitemap.xml", website)
    assert Shop.asked == ["/sitemap.xml"]
    monkeypatch.setattr(sitemaps, "MOST_PAGES", 3)
    Shop.files = {"/sitemap.xml": sitemap(*(f"{shop}/{n}" for n in range(4)))}
    with pytest.raises(CommandError):
        imported(f"{shop}/sitemap.xml", website)


def test_a_place_that_does_not_exist_is_named(website: Website) -> None:
    with pytest.raises(CommandError, match="does not exist"):
        imported("/nowhere/at/all", website)
