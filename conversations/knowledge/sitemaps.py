"""Importing the pages of a sitemap as articles: only of the website's own domains.

Each address is called through the client for outside servers: public ones, without redirects,
bounded in time and size. An import reads the brand's pages once; it is no crawler.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.utils.translation import gettext as _
from lxml import etree

from accounts.models import Website
from conversations.knowledge import importing, web_pages
from conversations.knowledge.importing import Draft, Unusable
from core import outside_calls, outside_servers, web_addresses
from core.text import search_languages

MOST_PAGES = 500
MOST_SITEMAPS = 20
SECONDS = 10.0
SIZE_LIMIT = 2_000_000  # bytes of a page or a sitemap


def from_sitemap(url: str, website: Website, *, language: str) -> Iterator[Draft]:
    """Yield an article for each page of a sitemap, and of those that it lists. Pages without text
    are left out. Raise ``Unusable`` for anything that is not the website's own, or cannot be
    read."""
    for address in _pages(url, website):
        page = web_pages.read(_fetched(address, website))
        if page is not None:
            own = search_languages.base(page.language)
            known = own if own in search_languages.CONFIGURATIONS else language
            yield importing.draft(address, page.title, page.body, known)


def _pages(url: str, website: Website) -> list[str]:
    """Return the addresses of all pages, once each."""
    sitemaps, pages = [url], dict[str, None]()
    # The list grows while it is read: an index adds its sitemaps.
    for sitemap in sitemaps:
        root = _parsed(sitemap, _fetched(sitemap, website))
        # {*}: many sitemaps declare another namespace, or none.
        places = [(one.text or "").strip() for one in root.iter("{*}loc")]
        if root.tag.rpartition("}")[2] == "sitemapindex":
            sitemaps += [one for one in places if one not in sitemaps]
        else:
            pages |= dict.fromkeys(places)
        if len(sitemaps) > MOST_SITEMAPS or len(pages) > MOST_PAGES:
            raise Unusable(
                _("%(file)s lists more than %(n)d pages.") % {"file": url, "n": MOST_PAGES}
            )
    return list(pages)


def _parsed(url: str, content: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None or root.tag.rpartition("}")[2] not in ("urlset", "sitemapindex"):
        raise Unusable(_("%(file)s is not a sitemap.") % {"file": url})
    return root


def _fetched(url: str, website: Website) -> bytes:
    address = web_addresses.parse(url)
    if address is None or not website.allows_host(address.host):
        raise Unusable(_("%(file)s is not on a domain of this website.") % {"file": url})
    try:
        with outside_calls.Server(url, allowed=settings.PRIVATE_SERVERS) as server:
            answer = server.send("GET", headers={}, seconds=SECONDS, limit=SIZE_LIMIT)
    except (outside_calls.Failed, outside_servers.Forbidden):
        raise Unusable(_("%(file)s could not be fetched.") % {"file": url}) from None
    if answer.status != 200 or answer.is_cut:
        raise Unusable(_("%(file)s could not be fetched.") % {"file": url})
    return answer.content
