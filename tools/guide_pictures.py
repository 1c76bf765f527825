"""``python -m tools.guide_pictures``: take the pictures of the agents' guide in both languages,
from a running product.

Needs a Chromium (CHROMIUM, else /usr/bin/chromium).
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

if TYPE_CHECKING:
    from tests.browser.product import Product

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/guide/images"
LIMIT_BYTES = 80_000
DESK = {"width": 1180, "height": 680}
HIGH = {"width": 1180, "height": 1120}  # the whole toolbar, without scrolling
LANGUAGES = {"fr": "fr-FR", "en": "en-GB"}
WORDS = {
    "fr": [
        ("Jeanne Martin", "Bonjour ! La lampe Lune existe-t-elle en chêne clair ?"),
        ("Karim Benali", "Bonjour, mon colis est annoncé livré, mais je n’ai rien reçu."),
    ],
    "en": [
        ("Jeanne Martin", "Hello! Does the Lune lamp exist in light oak?"),
        ("Karim Benali", "Hello, my parcel is said to be delivered, but nothing has come."),
    ],
}
ANSWER = {
    "fr": "Bonjour Jeanne ! Oui. Je vérifie la date avec l’atelier et je reviens vers vous.",
    "en": "Hello Jeanne! Yes. I am asking the workshop for the date and will be back.",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread
    django.setup()
    from tests.browser.product import Product

    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder) / "var")
        product.start()
        try:
            with sync_playwright() as playwright:
                program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
                browser = playwright.chromium.launch(
                    executable_path=program, args=["--no-sandbox", "--no-first-run"]
                )
                for language in LANGUAGES:
                    product.forget()
                    for name, picture in pictures(browser, product, language):
                        keep(picture, TARGET / language / f"{name}.webp")
                browser.close()
        finally:
            product.stop()


def keep(picture: bytes, path: Path) -> None:
    """Save a picture as WebP, in the best quality within the limit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for quality in (88, 75, 60, 45):
        image.save(path, "WEBP", quality=quality, method=6)
        if path.stat().st_size < LIMIT_BYTES:
            break
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KB")


def pictures(browser: Browser, product: Product, language: str) -> Iterator[tuple[str, bytes]]:
    """Yield each picture with its name, in the course of one short working day."""
    from tests.browser.language import Language
    from tests.browser.people import Agent, Visitor

    translate = Language(language)

    def context(**options: Any) -> Any:
        return browser.new_context(
            locale=LANGUAGES[language],
            timezone_id="Europe/Paris",
            reduced_motion="reduce",
            **options,
        )

    agent = Agent(context(viewport=DESK), product.url, "alice", translate)
    agent.log_in()
    agent.status.click()
    for customer, words in WORDS[language]:
        visitor = Visitor(context(), product.url, translate).visit("/demo/account/")
        visitor.page.get_by_role("button").filter(has_text=customer).first.click()
        visitor.start(words)
        visitor.visit("/demo/")
    page: Page = agent.page
    expect(agent.boxes).to_have_count(2)
    agent.boxes.first.click()
    agent.sees(WORDS[language][0][1])
    agent.say(ANSWER[language])
    page.wait_for_timeout(1500)
    yield "desk", page.screenshot()
    yield "boxes", page.screenshot(clip={"x": 0, "y": 52, "width": 250, "height": 310})
    toolbar: Locator = page.locator("#toolbar")
    page.set_viewport_size(HIGH)  # type: ignore[arg-type]
    yield "toolbar", toolbar.screenshot()
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    dialog = page.get_by_role("dialog")
    agent.act("Snooze")
    expect(dialog).to_be_visible()
    yield "snooze", dialog.screenshot()
    dialog.locator("[name=keep]").check()
    dialog.locator("form button:not([type=button])").last.click()
    expect(dialog.locator("[name=silence]")).to_be_visible()
    yield "warning", dialog.screenshot()
    dialog.locator("form button:not([type=button])").last.click()
    expect(dialog).to_be_hidden()
    page.goto(f"{product.url}/desk/snoozed/")
    yield "snoozed", page.screenshot(clip={"x": 0, "y": 0, "width": 1180, "height": 420})
    page.goto(f"{product.url}/desk/find/?q=lamp")
    yield "find", page.screenshot(clip={"x": 0, "y": 0, "width": 1180, "height": 420})
    page.goto(f"{product.url}/desk/")
    page.locator("[data-menu] summary").click()
    page.get_by_role("button", name=translate("Log out")).click()
    expect(dialog).to_be_visible()
    yield "leaving", dialog.screenshot()


if __name__ == "__main__":
    main()
