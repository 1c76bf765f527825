"""Everything is restarted while both sides write at full speed, and nobody notices."""

from __future__ import annotations

import subprocess
import sys

from playwright.sync_api import Frame, Page, expect

from tests.browser.conftest import Crowd
from tests.browser.product import ROOT
from tests.browser.test_disconnects import BUSY_MS, END, FEWEST, WRITE
from tests.browser.test_lines import in_conversation

# What either side shows without a connection; noted whenever it appears, even for a moment.
WATCH = """() => {
  window.alarms = [];
  const look = () => {
    if (document.querySelector("#offline:not([hidden])")) window.alarms.push("offline");
  };
  const changes = { subtree: true, childList: true, attributes: true };
  new MutationObserver(look).observe(document, changes);
}"""


def test_nobody_notices_a_restart(crowd: Crowd) -> None:
    visitor, alice = in_conversation(crowd)
    messenger = next(frame for frame in visitor.page.frames if "/messenger/" in frame.url)
    number = alice.page.locator(".dialogue").get_attribute("data-number")
    ends: list[Frame | Page] = [messenger, alice.page]
    for end in ends:
        end.evaluate(WATCH)
    before = {one.pid for one in crowd.product.web_processes()}
    messenger.evaluate(WRITE, ["v", "#text", "#composer"])
    alice.page.evaluate(WRITE, ["a", f"#reply-{number}", f"#composer-{number}"])
    done = subprocess.run(
        [sys.executable, "manage.py", "restart"],
        cwd=ROOT,
        env=crowd.product.variables() | crowd.product.engines(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "Restarted.\n"), done.stderr
    after = {one.pid for one in crowd.product.web_processes()}
    assert len(after) == 2
    assert not before & after
    written = dict(zip("va", (end.evaluate(END) for end in ends), strict=True))
    assert min(written.values()) >= FEWEST, written

    all_of_it = sum(written.values()) + 1
    expect(visitor.log.locator("li.mine, li.theirs:not(:first-child)")).to_have_count(
        all_of_it, timeout=BUSY_MS
    )
    expect(visitor.log.locator(".pending")).to_have_count(0, timeout=BUSY_MS)
    expect(alice.log.locator(".bubble")).to_have_count(all_of_it, timeout=BUSY_MS)
    seen = visitor.texts()
    assert alice.texts() == seen
    for prefix, count in written.items():
        received = [text for text in seen if text.startswith(prefix)]
        assert received == [f"{prefix}{number}" for number in range(1, count + 1)]
    assert [end.evaluate("window.alarms") for end in ends] == [[], []]
