"""The visitor's thread and composer: the line above new messages, scrolling, emoji, choices."""

from __future__ import annotations

import uuid
from typing import Any

from playwright.sync_api import Response, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Visitor

NEWS = """async looks => {
  const { News } = await import("/static/messenger/news.js");
  const news = new News();
  const authors = { v: "visitor", a: "agent", b: "bot", s: "system" };
  return looks.map(([said, isLooking, myRead = 0, isWriting = false]) => {
    const messages = [...said].map((one, index) => ({ author: authors[one], seq: index + 1 }));
    const thread = { messages, pending: isWriting ? [{}] : [], lastSeq: said.length, myRead };
    const { line, count, unseen } = news.look(thread, isLooking);
    return [line, count, unseen];
  });
}"""
# Each look: the authors so far (v, a, b, s), whether the end is in view, up to where it was read
# elsewhere, whether the visitor's own message is being sent. Then: the line's number, the announced
# count, the unseen count.
STORIES: dict[str, list[tuple[list[Any], list[int]]]] = {
    "what was there before is new, also where it is shown at once": [
        (["vaa", True, 1], [2, 2, 0]),
        (["vaaa", True], [2, 3, 0]),
    ],
    "nothing is new to who was there all the time": [
        (["", True, 0, True], [0, 0, 0]),
        (["vb", True, 1], [0, 0, 0]),
        (["vbab", True], [0, 0, 0]),
    ],
    "the line stays while they are away, and counts": [
        (["v", True, 1], [0, 0, 0]),
        (["va", False], [2, 1, 1]),
        (["vas", False], [2, 1, 1]),
        (["vasa", False], [2, 2, 2]),
        (["vasa", True], [2, 2, 0]),
        (["vasaa", False], [5, 1, 1]),
    ],
    "their own words take it away": [
        (["v", True, 1], [0, 0, 0]),
        (["va", False], [2, 1, 1]),
        (["va", True, 1, True], [0, 0, 0]),
        (["vav", True, 3], [0, 0, 0]),
    ],
    "what was read in another tab is not new here": [
        (["v", True, 1], [0, 0, 0]),
        (["vaa", False, 3], [0, 0, 0]),
        (["vaaa", False, 3], [4, 1, 1]),
    ],
}


def test_new_message_line_and_counts_follow_reading(crowd: Crowd) -> None:
    page = crowd.visitor().visit().page
    for story, looks in STORIES.items():
        seen = page.evaluate(NEWS, [look for look, _ in looks])
        assert seen == [expected for _, expected in looks], story


# A slow browser fires the scroll event only after later messages.
UP_UNTOLD = """box => {
  addEventListener("scroll", (event) => event.stopImmediatePropagation(), true);
  box.scrollTop = 0;
}"""


def test_scrolling_up_keeps_the_position_and_counts_new_messages(crowd: Crowd) -> None:
    visitor, alice = crowd.visitor(), crowd.agent("alice")
    alice.log_in().be_available()
    visitor.start("first\n" * 12)
    alice.sees("first")
    visitor.reduce()
    for number in range(4):
        alice.say(f"answer {number}\n" + "and more\n" * 6)
    expect(visitor.launcher).to_have_accessible_name("Open the chat (4 new messages)")
    visitor.launcher.click()
    line = visitor.log.get_by_text("4 new messages", exact=True)
    expect(line).to_be_in_viewport()
    expect(visitor.bubble("answer 3")).not_to_be_in_viewport()
    expect(alice.bubble("answer 3")).not_to_contain_text("Read")
    down = visitor.frame.get_by_role("button", name="4 new messages. Go to the latest messages")
    down.click()
    expect(visitor.bubble("answer 3")).to_be_in_viewport()
    expect(down).to_be_hidden()
    expect(alice.bubble("answer 3")).to_contain_text("Read")

    scroller = visitor.frame.locator("#scroller")
    scroller.evaluate(UP_UNTOLD)
    alice.say("one more")
    expect(visitor.frame.get_by_role("button", name="1 new message.")).to_be_visible()
    assert scroller.evaluate("box => box.scrollTop") == 0
    visitor.say("I answer")
    expect(visitor.bubble("I answer")).to_be_in_viewport()
    expect(line).to_have_count(0)


def test_emoji_are_found_by_keyboard_and_loaded_on_demand(crowd: Crowd) -> None:
    visitor = crowd.visitor()
    loaded: list[Response] = []
    visitor.page.on("response", lambda response: loaded.append(response))
    visitor.visit()
    visitor.open()
    visitor.agree()
    assert [one.url for one in loaded if "emoji" in one.url] == []
    visitor.box.fill("I like it")
    visitor.box.press("Home")
    button = visitor.frame.get_by_role("button", name="Emoji", exact=True)
    button.press("Enter")
    search = visitor.frame.get_by_role("searchbox", name="Search for an emoji")
    expect(search).to_be_focused()
    search.fill("hand wav")
    expect(visitor.frame.get_by_role("option")).to_have_count(1)
    search.press("Enter")
    expect(visitor.box).to_be_focused()
    expect(visitor.box).to_have_value("👋I like it")
    button.press("Enter")
    recent = visitor.frame.get_by_role("group", name="Recently used")
    expect(recent.get_by_role("option")).to_have_accessible_name("waving hand")
    search.press("ArrowDown")
    expect(recent.get_by_role("option")).to_be_focused()
    visitor.page.keyboard.press("Escape")  # closes the picker, not the Messenger
    expect(search).to_be_hidden()
    expect(visitor.box).to_be_focused()
    visitor.box.press("Enter")
    visitor.sees("👋I like it")


def test_a_choice_is_sent_once_from_any_tab(crowd: Crowd) -> None:
    crowd.expect_complaint(r"\b409\b")
    visitor, alice = crowd.visitor(), crowd.agent("alice")
    alice.log_in().be_available()
    visitor.start("I need a lamp")
    alice.sees("I need a lamp")
    [(number,)] = crowd.product.rows("SELECT id FROM conversations_conversation")
    token = next(one["value"] for one in alice.context.cookies() if one["name"] == "csrftoken")
    shop = f"{crowd.product.url}/demo/"
    offered = alice.context.request.post(
        f"{crowd.product.url}/api/v1/conversations/{number}/messages/",
        headers={"X-CSRFToken": token, "Referer": shop},
        data={
            "id": str(uuid.uuid4()),
            "body": "Which one?",
            "choices": ["Lune", "Halo"],
            "cards": [{"title": "A moon", "links": [{"text": "See it", "url": shop}]}],
        },
    )
    assert offered.status == 201
    alice.sees("Which one?")
    other = Visitor(visitor.context, visitor.url).visit()
    other.open()
    answers = visitor.frame.get_by_role("group", name="Choose an answer")
    others = other.frame.get_by_role("group", name="Choose an answer")
    expect(answers.get_by_role("button")).to_have_text(["Lune", "Halo"])
    expect(others.get_by_role("button", name="Lune")).to_be_enabled()
    link = visitor.frame.get_by_role("list", name="Suggestions").get_by_role("link")
    expect(link).to_have_attribute("rel", "noopener nofollow noreferrer")
    # Both tabs answer before they learn of each other.
    visitor.context.set_offline(True)
    crowd.expect_complaint("ERR_INTERNET_DISCONNECTED|WebSocket")
    answers.get_by_role("button", name="Halo").press("Enter")
    others.get_by_role("button", name="Lune").click()
    expect(answers.get_by_role("button", name="Lune")).to_be_disabled()
    visitor.context.set_offline(False)
    expect(visitor.log.locator("li.mine.pending")).to_have_count(0)
    expect(other.log.locator("li.mine.pending")).to_have_count(0)
    own_messages = visitor.log.locator("li.mine .bubble")
    expect(own_messages).to_have_count(2)
    expect(other.log.locator("li.mine .bubble")).to_have_text(own_messages.all_inner_texts())
    expect(alice.bubble(own_messages.all_inner_texts()[1]).last).to_be_visible()
