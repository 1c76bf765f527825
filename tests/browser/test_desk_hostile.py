"""Input of visitors and their browsers is text wherever the desk shows it (N4)."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd
from tests.browser.product import Product

HOSTILE = (
    '"><img src=x onerror="window.hit=1"><b hx-get="/desk/" hx-trigger=load data-hx-on:load=1>b</b>'
    "<svg onload='window.hit=1'></svg><template>t</template>"
)
# Elements that our pages never contain.
STRANGE = """() => [
  ...document.querySelectorAll("img[src=x], b, svg[onload], [onerror], a[href^=javascript]"),
  ...document.querySelectorAll("[data-hx-on\\\\:load], [hx-trigger=load]"),
].map((node) => node.outerHTML.slice(0, 120)).concat(window.hit ? ["hit"] : [])"""


def is_clean(page: Page, where: str) -> None:
    expect(page.locator("body")).to_contain_text("onerror")  # it is shown as text
    assert page.evaluate(STRANGE) == [], where


def test_hostile_input_is_shown_as_text_everywhere(crowd: Crowd, product: Product) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    visitor = crowd.visitor()
    visitor.start(f"hippopotame {HOSTILE}")
    alice.sees("onerror")
    number = alice.page.url.split("/")[-2]
    visitor_id = "(SELECT visitor_id FROM conversations_conversation WHERE id = %s)"
    short = HOSTILE[:100]
    for change, value in (
        ("visitor SET name = %s WHERE id", short),
        ("seenpage SET title = %s, url = 'javascript:alert(1)' WHERE visitor_id", HOSTILE),
        ("profile SET place = %s, referrer = 'javascript:1' WHERE visitor_id", short),
        ("profile SET data = jsonb_build_object(%s::text, 'x') WHERE visitor_id", HOSTILE),
    ):
        statement = f"UPDATE conversations_{change} = {visitor_id} RETURNING 1"
        assert product.rows(statement, value, number)
    page = alice.page
    page.reload()
    alice.sees("onerror")
    toolbar = page.get_by_role("complementary", name="Visitor and actions")
    expect(toolbar.locator(".mirror")).to_contain_text("onerror")
    is_clean(page, "the desk")
    expect(page).to_have_title(re.compile(r"^\(1\) Desk"))

    alice.choose("Note")
    alice.note.fill(HOSTILE)
    page.get_by_role("button", name="Save note").click()
    expect(alice.notes("onerror")).to_be_visible()
    visitor.box.press_sequentially("x")
    expect(page.get_by_text("is typing…")).to_contain_text("onerror")
    is_clean(page, "the notes and who is writing")

    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_contain_text("onerror")
    page.keyboard.type("<b hx-get=/desk/ hx-trigger=load>")
    expect(page.get_by_role("option").last).to_contain_text("hx-trigger=load")
    is_clean(page, "the palette")
    page.keyboard.press("Escape")
    for verb in ("Snooze", "Transfer", "Block"):
        alice.act(verb)
        expect(page.get_by_role("dialog")).to_be_visible()
        is_clean(page, verb)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()

    page.goto(f"{alice.url}/desk/find/?q=hippopotame")
    expect(page.locator("mark").first).to_be_visible()
    is_clean(page, "what was found")
    page.goto(f"{alice.url}/desk/c/{number}/")
    alice.snooze(keep=True)
    page.goto(f"{alice.url}/desk/snoozed/")
    is_clean(page, "the snoozed tab")
