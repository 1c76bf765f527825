"""Several tabs of one browser: one state, one sound, and neither loses what the other has."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.people import Visitor

HEAR = """
  window.sounds = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...at) { window.sounds += 1; start.apply(this, at); };
"""


def sounds(visitor: Visitor) -> int:
    """Return how many tones the tab's Messenger has played; a sound has two."""
    frame = next(frame for frame in visitor.page.frames if "/messenger/" in frame.url)
    played: int = frame.evaluate("window.sounds")
    return played


def test_tabs_stay_synchronized(crowd: Crowd) -> None:
    crowd.expect_complaint("ERR_INTERNET_DISCONNECTED|WebSocket")
    one, alice = crowd.visitor(), crowd.agent("alice")
    one.context.add_init_script(HEAR)
    alice.log_in().be_available()
    two = Visitor(one.context, one.url)
    for tab in (one, two):
        tab.visit()
        tab.open()
    one.agree()
    # The other tab, opened before, knows the consent without asking again.
    expect(two.frame.get_by_role("heading", name="Before we start")).to_be_hidden()
    one.say("from the first")
    two.sees("from the first")
    two.say("from the second")
    alice.sees("from the second")
    one.sees("from the second")

    # Neither tab is in view: one sound, and both count; one reads it, and both know.
    for tab in (one, two):
        tab.reduce()
    alice.say("Yes, in brass")
    for tab in (one, two):
        expect(tab.launcher).to_have_accessible_name("Open the chat (1 new message)")
    one.page.wait_for_function("() => true")  # a turn of its event loop
    expect(one.launcher).to_be_visible()
    two.launcher.click()
    two.sees("Yes, in brass")
    expect(one.launcher).to_have_accessible_name("Open the chat")
    assert sounds(one) + sounds(two) == 2
    # One tab is in view: no sound.
    alice.say("another one")
    two.sees("another one")
    expect(one.launcher).to_have_accessible_name("Open the chat")
    assert sounds(one) + sounds(two) == 2

    # What each of them has not sent yet is stored for both.
    one.launcher.click()
    one.context.set_offline(True)
    one.say("left by the first")
    two.say("left by the second")
    unsent = two.page.frames[-1].evaluate(
        "JSON.parse(localStorage['causerie:demo:unsent']).map(({ body }) => body)"
    )
    assert sorted(unsent) == ["left by the first", "left by the second"]
    one.page.close()
    two.context.set_offline(False)
    two.page.reload()
    two.open()
    for text in unsent:
        alice.sees(text)
        expect(two.bubble(text)).to_have_count(1)
