"""Calls between a visitor on a brand's page of another origin and an agent, in real browsers with a
tone and a moving picture instead of microphones and cameras. What flows is read from getStats."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Frame, Page, expect

from tests.browser.conftest import Crowd
from tests.browser.mirrors import site, wait_until
from tests.browser.people import Agent, Visitor
from tests.browser.product import Product

# Every connection that a page makes, so that the test can ask what flows.
LISTEN = """
  const Native = RTCPeerConnection;
  globalThis.connections = [];
  globalThis.RTCPeerConnection = function (...given) {
    const made = new Native(...given);
    globalThis.connections.push(made);
    return made;
  };
"""
FLOWS = """async () => {
  const sums = {state: "none", audio: 0, video: 0, pairs: []};
  const last = (globalThis.connections ?? []).at(-1);
  if (!last) return sums;
  sums.state = last.connectionState;
  const stats = await last.getStats();
  for (const one of stats.values()) {
    if (one.type === "inbound-rtp") sums[one.kind] += one.bytesReceived;
    if (one.type === "candidate-pair" && one.nominated) {
      sums.pairs.push(stats.get(one.localCandidateId)?.candidateType);
    }
  }
  return sums;
}"""


def start(crowd: Crowd, url: str) -> tuple[Visitor, Agent]:
    """A conversation between a visitor on the page at ``url`` and Alice."""
    alice = crowd.agent("alice")
    alice.context.add_init_script(LISTEN)
    alice.log_in().be_available()
    visitor = crowd.visitor()
    visitor.context.add_init_script(LISTEN)
    visitor.page.goto(url)
    visitor.open()
    visitor.agree()
    visitor.say("Can we talk?")
    alice.sees("Can we talk?")
    return visitor, alice


def iframe(visitor: Visitor) -> Frame:
    opened = visitor.page.get_by_title("Chat with Maison Céleste").element_handle()
    frame = opened.content_frame()
    assert frame is not None
    return frame


def flow(where: Page | Frame) -> dict[str, Any]:
    measured: dict[str, Any] = where.evaluate(FLOWS)
    return measured


def flows(where: Any, *, video: bool = False) -> dict[str, Any]:
    """Wait until sound, and the picture if it is a video call, arrives here, and more of it."""
    page = where() if callable(where) else where
    first: dict[str, Any] | None = None
    for _try in range(200):
        page = where() if callable(where) else where
        now = flow(page)
        if now["state"] == "connected" and now["audio"] > 0 and (now["video"] > 0 or not video):
            if first is None or now["audio"] < first["audio"]:
                first = now
            elif now["audio"] > first["audio"] and (now["video"] > first["video"] or not video):
                return now
        page.wait_for_timeout(250)
    raise AssertionError(f"nothing flows: {now}")


def panel(who: Visitor | Agent) -> Any:
    root = who.frame if isinstance(who, Visitor) else who.page
    return root.get_by_role("region", name="Call in progress")


def press(who: Visitor | Agent, name: str) -> None:
    panel(who).get_by_role("button", name=name, exact=True).click()


def visitor_calls(visitor: Visitor, kind: str = "Call") -> None:
    visitor.frame.get_by_role("banner").get_by_role("button", name=kind, exact=True).click()


def agent_calls(alice: Agent, kind: str = "Call") -> None:
    group = alice.page.get_by_role("group", name="Call the visitor")
    group.get_by_role("button", name=kind, exact=True).click()


def answered(visitor: Visitor, alice: Agent, kind: str = "Call") -> None:
    visitor_calls(visitor, kind)
    press(alice, "Answer with camera" if kind == "Video call" else "Answer")


def calls(product: Product) -> list[tuple[Any, ...]]:
    return product.rows('SELECT status, "end", ended_by FROM conversations_call ORDER BY id')


def test_a_visitor_calls_and_both_hear_each_other(crowd: Crowd, product: Product) -> None:
    with site(product, "<h1>A brand</h1>") as shop:
        visitor, alice = start(crowd, shop.url)
        answered(visitor, alice)
        flows(alice.page)
        flows(lambda: iframe(visitor))
        expect(panel(visitor)).to_contain_text("In a call with Alice")
        visitor.say("I can hear you")  # the dialogue goes on
        alice.sees("I can hear you")
        press(alice, "Hang up")
        expect(panel(visitor)).to_contain_text("Alice has hung up.")
        alice.page.get_by_role("log", name="Messages").get_by_text(
            "Call from the visitor"
        ).wait_for()
        assert calls(product) == [("ended", "hung_up", "agent")]


def test_an_agent_calls_with_video_and_the_visitor_ends_it(crowd: Crowd, product: Product) -> None:
    with site(product, "<h1>A brand</h1>") as shop:
        visitor, alice = start(crowd, shop.url)
        agent_calls(alice, "Video call")
        expect(panel(visitor)).to_contain_text("Alice is calling you with video")
        press(visitor, "Answer with camera")
        flows(alice.page, video=True)
        flows(lambda: iframe(visitor), video=True)
        press(visitor, "Turn the camera off")
        expect(panel(alice).locator("video.call-remote")).to_be_hidden()
        press(visitor, "Turn the camera on")
        expect(panel(alice).locator("video.call-remote")).to_be_visible()
        press(visitor, "Mute the microphone")
        expect(panel(alice)).to_contain_text("is muted")
        press(alice, "Put the call on hold")
        expect(panel(visitor)).to_contain_text("Alice has put the call on hold")
        expect(panel(visitor).locator("video.call-remote")).to_be_hidden()
        press(alice, "Take the call off hold")
        expect(panel(visitor).locator("video.call-remote")).to_be_visible()
        press(visitor, "Hang up")
        expect(panel(alice)).to_contain_text("has hung up.")
        assert calls(product) == [("ended", "hung_up", "visitor")]


def test_a_call_goes_on_after_a_reload_of_either_side(crowd: Crowd, product: Product) -> None:
    with site(product, "<h1>A brand</h1>") as shop:
        visitor, alice = start(crowd, shop.url)
        answered(visitor, alice, "Video call")
        flows(alice.page, video=True)
        flows(lambda: iframe(visitor), video=True)

        visitor.page.goto(f"{shop.url}/another-page")
        flows(lambda: iframe(visitor), video=True)
        flows(alice.page, video=True)
        expect(panel(visitor)).to_contain_text("In a call with Alice")

        alice.page.goto(f"{product.url}/desk/snoozed/")  # another page of the staff
        flows(alice.page, video=True)
        flows(lambda: iframe(visitor), video=True)
        press(alice, "Hang up")
        expect(panel(visitor)).to_contain_text("Alice has hung up.")
        assert calls(product) == [("ended", "hung_up", "agent")]


# One packet in five is lost: no browser of these tests can lose any itself.
LOSE = """() => {
  const { prototype } = globalThis.connections.at(-1).constructor;
  const { getStats } = prototype;
  prototype.getStats = async function () {
    const stats = [...(await getStats.call(this)).values()];
    const lossy = (one) => ({ ...one, packetsLost: Math.round(one.packetsReceived / 4) });
    const worse = stats.map((one) => (one.type === "inbound-rtp" ? lossy(one) : one));
    return new Map(worse.map((one) => [one.id, one]));
  };
}"""


def test_a_bad_network_is_told_and_recorded(crowd: Crowd, product: Product) -> None:
    with site(product, "<h1>A brand</h1>") as shop:
        visitor, alice = start(crowd, shop.url)
        answered(visitor, alice)
        flows(alice.page)
        alice.page.evaluate(LOSE)
        expect(panel(alice)).to_contain_text("The connection is poor.")
        for _try in range(200):  # told to the server every ten seconds
            [(loss,)] = product.rows("SELECT agent_loss FROM conversations_call")
            if loss is not None and loss > 15:
                break
            alice.page.wait_for_timeout(250)
        assert 15 < loss < 25
        press(alice, "Hang up")


def test_declined_by_each_side(crowd: Crowd, product: Product) -> None:
    with site(product, "<h1>A brand</h1>") as shop:
        visitor, alice = start(crowd, shop.url)
        visitor_calls(visitor)
        press(alice, "Decline")
        expect(panel(visitor)).to_contain_text("Alice cannot take the call now.")
        agent_calls(alice)
        press(visitor, "Decline")
        expect(panel(alice)).to_contain_text("cannot take the call now.")
        assert calls(product) == [
            ("declined", "declined", "agent"),
            ("declined", "declined", "visitor"),
        ]


def test_a_call_that_nobody_answers_is_missed(crowd: Crowd, product: Product) -> None:
    ring_for(product, 10)
    try:
        with site(product, "<h1>A brand</h1>") as shop:
            visitor, alice = start(crowd, shop.url)
            visitor_calls(visitor)
            expect(panel(alice)).to_contain_text("is calling you")
            expect(panel(visitor)).to_contain_text("Alice did not answer.")
            expect(panel(alice)).to_contain_text("You missed a call from")
            told = alice.page.get_by_role("log", name="Messages")
            expect(told).to_contain_text("Missed call: Alice did not answer")
            assert calls(product) == [("missed", "no_answer", "")]
    finally:
        ring_for(product, 30)


def ring_for(product: Product, seconds: int) -> None:
    assert product.rows(
        "UPDATE accounts_website SET ring_seconds = %s WHERE key = 'demo' RETURNING 1", seconds
    )


def test_it_rings_in_every_tab_of_the_agent_and_one_answers(crowd: Crowd, product: Product) -> None:
    with site(product, "<h1>A brand</h1>") as shop:
        visitor, alice = start(crowd, shop.url)
        second = alice.context.new_page()
        second.goto(f"{product.url}/guide/")  # a page without the desk
        visitor_calls(visitor)
        here = second.get_by_role("region", name="Call in progress")
        expect(here).to_contain_text("is calling you")
        expect(panel(alice)).to_contain_text("is calling you")
        here.get_by_role("button", name="Answer", exact=True).click()
        flows(second)
        flows(lambda: iframe(visitor))
        expect(panel(alice)).to_contain_text("The call was answered in another tab.")
        assert flow(alice.page)["state"] == "none"
        second.get_by_role("button", name="Hang up").click()
        expect(panel(visitor)).to_contain_text("Alice has hung up.")


def test_both_may_share_their_screen_and_choose_devices(crowd: Crowd, product: Product) -> None:
    with site(product, "<h1>A brand</h1>") as shop:
        visitor, alice = start(crowd, shop.url)
        answered(visitor, alice)
        flows(alice.page)
        press(visitor, "Share the screen")
        expect(panel(alice)).to_contain_text("is sharing the screen")
        expect(panel(alice).locator("video.call-screen")).to_be_visible()
        flows(alice.page, video=True)
        press(visitor, "Stop sharing the screen")
        expect(panel(alice).locator("video.call-screen")).to_be_hidden()
        press(alice, "Share the screen")
        expect(panel(visitor).locator("video.call-screen")).to_be_visible()

        press(alice, "Microphone, camera and speaker")
        microphones = panel(alice).get_by_role("combobox", name="Microphone")
        microphones.select_option("Fake Audio Input 2")
        level = panel(alice).get_by_label("Level of the microphone")
        alice.page.wait_for_function("meter => meter.value > 0.02", arg=level.element_handle())
        flows(lambda: iframe(visitor))
        press(alice, "Hang up")


def test_the_picture_goes_to_a_small_window_and_to_the_full_screen(crowd: Crowd) -> None:
    with site(crowd.product, "<h1>A brand</h1>") as shop:
        visitor, alice = start(crowd, shop.url)
        answered(visitor, alice, "Video call")
        for who in (visitor, alice):
            flows(lambda who=who: iframe(who) if isinstance(who, Visitor) else who.page, video=True)
            # Headless Chromium has no small windows: only that the picture asks for one is seen.
            picture = panel(who).locator("video.call-remote")
            picture.evaluate(
                """(video) => {
                  video.requestPictureInPicture = async () => (video.dataset.floats = "yes");
                  Object.defineProperty(document, "pictureInPictureEnabled", { value: true });
                }"""
            )
            press(who, "Mute the microphone")  # The buttons are drawn anew.
            press(who, "Show in a small window")
            expect(picture).to_have_attribute("data-floats", "yes")
            for is_full in (True, False):
                press(who, "Full screen")
                wait_until(alice.page, lambda who=who, is_full=is_full: fills(who) is is_full)
        press(alice, "Hang up")


def fills(who: Visitor | Agent) -> bool:
    return bool(panel(who).evaluate("(panel) => panel.matches(':fullscreen')"))


@contextmanager
def rooms() -> Iterator[tuple[str, list[str]]]:
    """A server in the place of Jitsi, and the rooms that were opened there."""
    opened: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            opened.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><link rel=icon href=data:,><title>A room</title>")

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", opened
    finally:
        server.shutdown()
        server.server_close()


def test_both_sides_open_one_room_that_nobody_can_guess(crowd: Crowd, product: Product) -> None:
    address = "UPDATE accounts_website SET jitsi_url = %s WHERE key = 'demo' RETURNING 1"
    with site(product, "<h1>A brand</h1>") as shop, rooms() as (server, opened):
        product.rows(address, server)
        try:
            visitor, alice = start(crowd, shop.url)
            names = []
            for _call in range(2):
                opened.clear()
                visitor_calls(visitor)
                with alice.context.expect_page() as room_of_agent:
                    press(alice, "Answer")
                expect(panel(visitor)).to_contain_text("The call takes place in another tab.")
                with visitor.context.expect_page() as room_of_visitor:
                    panel(visitor).get_by_role("link", name="Open the call").click()
                expect(room_of_agent.value).to_have_title("A room")
                expect(room_of_visitor.value).to_have_title("A room")
                [first, second] = opened
                assert first == second
                names.append(first)
                # Nobody is asked for a microphone here.
                assert flow(alice.page)["state"] == flow(iframe(visitor))["state"] == "none"
                assert room_of_agent.value.evaluate("opener") is None
                press(alice, "Hang up")
                expect(panel(visitor)).to_contain_text("Alice has hung up.")
                room_of_agent.value.close()
                room_of_visitor.value.close()
            # 24 random bytes: nothing of it comes from the conversation or from the call.
            assert all(re.fullmatch(r"/causerie-[A-Za-z0-9_-]{32}", name) for name in names)
            assert names[0] != names[1]
            allow = visitor.page.get_by_title("Chat with Maison Céleste").get_attribute("allow")
            assert allow is not None
            assert {"microphone", "camera"} <= set(re.findall(r"[\w-]+", allow))
        finally:
            product.rows(address, "")


def test_where_calls_are_off_nothing_offers_them(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("microphone is not allowed")
    set_calls(product, "off")
    try:
        with site(product, "<h1>A brand</h1>") as shop:
            visitor, alice = start(crowd, shop.url)
            banner = visitor.frame.get_by_role("banner")
            expect(banner.get_by_role("button", name="Settings")).to_be_visible()
            expect(banner.get_by_role("button", name="Call")).to_have_count(0)
            expect(alice.page.get_by_role("group", name="Call the visitor")).to_have_count(0)
            assert (
                visitor.page.get_by_title("Chat with Maison Céleste").get_attribute("allow") == ""
            )
            refused = iframe(visitor).evaluate(
                "navigator.mediaDevices.getUserMedia({audio: true}).then(() => '', e => e.name)"
            )
            assert refused == "NotAllowedError"
    finally:
        set_calls(product, "video")


def set_calls(product: Product, kind: str) -> None:
    assert product.rows(
        "UPDATE accounts_website SET calls = %s WHERE key = 'demo' RETURNING 1", kind
    )
