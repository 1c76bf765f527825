"""Every page is in one language, obeys its own policy, and is accessible."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Frame, Page

from tests.browser import scene
from tests.browser.conftest import Crowd
from tests.browser.language import Language

AXE = (Path(__file__).parent / "vendor/axe-core/axe.min.js").read_text()
LOOKED_AT_CLOSELY = {
    "the shop with the Messenger open",
    "the Messenger, before consent",
    "the Messenger, in conversation",
    "the login",
    "the desk with a conversation",
    "the dialog of Snooze",
    "the dialog of Transfer",
    "the snoozed tab",
    "the board",
    "the survey",
}
# Without preloading, which copies style sheets into the page: the page's own policy forbids that,
# and the error would hide one of ours. None of the enabled rules needs it.
RUN_AXE = """async (rules) => {
  const only = rules.length ? { runOnly: rules } : {};
  const options = { iframes: false, preload: false, resultTypes: ["violations"], ...only };
  const { violations } = await axe.run(options);
  return violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}"""
# All text that can be read or is read aloud, except what is marked as being in another language.
READ_ALL = """() => {
  const texts = [document.title];
  const own = document.documentElement.lang;
  const read = (root) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.shadowRoot) read(node.shadowRoot);
      if (["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE"].includes(node.tagName)) continue;
      if (node.closest(`[lang]:not([lang="${own}"])`) || !node.checkVisibility()) continue;
      for (const child of node.childNodes) if (child.nodeType === 3) texts.push(child.data);
      for (const name of ["aria-label", "title", "placeholder", "alt"]) {
        if (node.hasAttribute(name)) texts.push(node.getAttribute(name));
      }
    }
  };
  read(document);
  return texts.map((text) => text.replace(/\\s+/g, " ").trim()).filter(Boolean);
}"""


# Names of the demo's own team, which are the same in every language.
NAMES = {"Équipe de réponse", "vers equipe de reponse", "Orders"}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_is_in_one_language_and_accessible(crowd: Crowd, language: str) -> None:
    crowd.expect_complaint("404")
    translate, faults = Language(language), list[str]()
    for name, page in scene.walk(crowd, translate):
        assert page.evaluate("document.documentElement.lang") == language, name
        texts = [text for text in page.evaluate(READ_ALL) if text not in NAMES]
        assert len(texts) >= 5, name
        faults += [f"{name} says {text!r}" for text in translate.misses(texts)]
        # axe's findings do not depend on the language; French has the longer texts.
        if language == "fr" and name in LOOKED_AT_CLOSELY:
            faults += [f"{name}: {fault}" for fault in inaccessible(page)]
    assert not faults, "\n".join(faults)


def inaccessible(place: Page | Frame) -> list[str]:
    """Return what axe-core finds serious or critical, in light and in dark mode."""
    page = place.page if isinstance(place, Frame) else place
    place.evaluate(AXE)
    faults = []
    for scheme, rules in (("light", []), ("dark", ["color-contrast"])):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        # until drawn in the new colours
        place.evaluate("() => new Promise((done) => setTimeout(done, 50))")
        faults += [f"{scheme}: {fault}" for fault in place.evaluate(RUN_AXE, rules)]
    page.emulate_media(color_scheme="light")
    return faults
