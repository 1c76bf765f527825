"""The list of what may leave a visitor's page and be replayed at the desk, event by event."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Crowd
from tests.browser.product import Product

CLEAN = """async ([event, how]) => {
  const { clean } = await import("/static/mirror/outgoing.js");
  const elementOf = how === "desk" ? null : () => null;
  const cleaned = clean(event, { showsInputs: how === "shown", elementOf });
  return JSON.parse(JSON.stringify(cleaned));
}"""
MASK = "\N{BULLET}" * 6


@pytest.fixture
def page(crowd: Crowd, product: Product) -> Page:
    page = crowd.visitor().page
    page.goto(f"{product.url}/login/")
    return page


def clean(page: Page, event: dict[str, Any], how: str = "masked") -> Any:
    return page.evaluate(CLEAN, [event, how])


def element(tag: str, *children: Any, **attributes: Any) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    return {"type": 2, "id": 1, "tagName": tag, "attributes": named, "childNodes": list(children)}


def snapshot(node: dict[str, Any]) -> dict[str, Any]:
    data = {"node": {"type": 0, "id": 9, "childNodes": [node]}, "initialOffset": {}}
    return {"type": 2, "timestamp": 1, "data": data}


def passed(page: Page, node: dict[str, Any], how: str = "desk") -> Any:
    return clean(page, snapshot(node), how)["data"]["node"]["childNodes"][0]


@pytest.mark.parametrize("how", ["masked", "shown", "desk"])
def test_no_element_and_attribute_passes_that_could_act(page: Page, how: str) -> None:
    for tag in ("script", "iframe", "object", "embed", "base", "meta", "template", "SCRIPT"):
        node = passed(page, element(tag, element("p"), src="https://evil/", srcdoc="x"), how)
        assert (node["tagName"], node["childNodes"]) == ("span", [])
        assert node["attributes"] == {"style": "display: none"}
    for rel in ("preconnect", "dns-prefetch", "prefetch", "modulepreload", "stylesheet preload"):
        link = passed(page, element("link", rel=rel, href="https://evil/"), how)
        assert link["tagName"] == "span"
    acting = {
        "onclick": "1",
        "onload": "1",
        "hx_get": "/desk/",
        "data_hx_on": "1",
        "srcdoc": "1",
        "formaction": "/x",
        "action": "/x",
        "ping": "/x",
        "autofocus": "",
        "contenteditable": "",
        "http_equiv": "refresh",
        "id": "kept",
    }
    assert passed(page, element("div", **acting), how)["attributes"] == {"id": "kept"}


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "java\nscript:x",
    ],
)
def test_links_that_run_something_lose_their_address(page: Page, href: str) -> None:
    for tag in ("a", "area", "link", "image", "use"):
        node = passed(page, element(tag, href=href, rel="stylesheet"))
        assert "href" not in node["attributes"]


def test_queries_and_fragments_of_links_are_cut(page: Page) -> None:
    link = element("a", href="https://shop.example/next?session=1#token")
    assert passed(page, link)["attributes"] == {"href": "https://shop.example/next"}
    meta = {
        "type": 4,
        "timestamp": 1,
        "data": {"href": "https://a/b?c#d", "width": 9e9, "height": -1},
    }
    assert clean(page, meta)["data"] == {"href": "https://a/b", "width": 20_000, "height": 0}


def test_what_is_typed_is_masked_in_every_event(page: Page) -> None:
    field = element("input", value="Jeanne", type="text", checked=True)
    assert passed(page, field, "masked")["attributes"] == {"value": MASK, "type": "text"}
    area = element("textarea", {"type": 3, "id": 2, "textContent": "Jeanne"}, value="Jeanne")
    assert passed(page, area, "masked")["childNodes"] == []
    assert passed(page, area, "masked")["attributes"] == {"value": MASK}
    typed = {"source": 5, "id": 1, "text": "Jeanne", "isChecked": True}
    event = {"type": 3, "timestamp": 1, "data": typed}
    assert clean(page, event)["data"] == {"source": 5, "id": 1, "text": MASK, "isChecked": False}
    changed = {"source": 0, "attributes": [{"id": 1, "attributes": {"value": "Jeanne"}}]}
    event = {"type": 3, "timestamp": 1, "data": changed}
    assert clean(page, event)["data"]["attributes"] == [{"id": 1, "attributes": {"value": MASK}}]
    added = {"source": 0, "adds": [{"parentId": 1, "nextId": None, "node": field}]}
    event = {"type": 3, "timestamp": 1, "data": added}
    assert "Jeanne" not in str(clean(page, event))
    assert "Jeanne" in str(clean(page, event, "shown"))


def test_hidden_fields_and_the_values_of_options_never_pass(page: Page) -> None:
    for node in (element("input", type="hidden", value="token"), element("option", value="token")):
        for how in ("masked", "shown", "desk"):
            assert "value" not in passed(page, node, how)["attributes"]


def test_unknown_events_do_not_pass(page: Page) -> None:
    for event in (
        {"type": 5, "timestamp": 1, "data": {"tag": "x", "payload": "secret"}},
        {"type": 6, "timestamp": 1, "data": {"plugin": "x", "payload": "secret"}},
        *(
            {"type": 3, "timestamp": 1, "data": {"source": n}}
            for n in (7, 9, 10, 11, 12, 14, 16, 99)
        ),
        {"type": 3, "timestamp": 1, "data": {"source": 2, "type": 5}},
    ):
        assert clean(page, event) is None
