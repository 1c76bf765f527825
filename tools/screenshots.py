"""``python -m tools.screenshots``: take the README's pictures from a running product.

Needs a Chromium (CHROMIUM, else /usr/bin/chromium) and, for the greeting's 👋, an emoji font.
"""

from __future__ import annotations

import base64
import os
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.language import Language
from tests.browser.people import Agent, Visitor
from tests.browser.product import Product

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/images/desk-and-messenger.png"
FRENCH = Language("fr")
DESK = {"width": 1016, "height": 720}
PHONE = {"width": 340, "height": 720}
# The demo's visitors have no names, so the tool writes them into the database.
NAMES = ["Karim Haddad", "Jeanne Lefèvre", "Élodie Marchand", "Visiteur"]
FIRST_WORDS = [
    "Bonjour, mon colis est annoncé livré mais je n’ai rien reçu.",
    "Bonjour ! La lampe Lune existe-t-elle avec un pied plus clair ?",
    "Peut-on échanger la bougie Aube contre un diffuseur ?",
]
BOARD = """<!doctype html><meta charset="utf-8"><style>
  body {{ margin: 0; width: 1440px; height: 784px; display: flex; gap: 28px; align-items: center;
    justify-content: center; background: linear-gradient(135deg, #e8ebf7, #e2ece7); }}
  img {{ display: block; border-radius: 14px; box-shadow: 0 0 0 1px rgb(20 24 36 / 8%),
    0 14px 36px rgb(20 24 36 / 16%); }}
  img + img {{ border-radius: 26px; }}
</style><img src="data:image/png;base64,{desk}"><img src="data:image/png;base64,{phone}">"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder) / "var")
        product.start()
        try:
            with sync_playwright() as playwright:
                program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
                browser = playwright.chromium.launch(
                    executable_path=program, args=["--no-sandbox", "--no-first-run"]
                )
                TARGET.parent.mkdir(parents=True, exist_ok=True)
                TARGET.write_bytes(picture(browser, product))
                browser.close()
        finally:
            product.stop()
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size // 1024} KB")


def picture(browser: Browser, product: Product) -> bytes:
    """Return Alice's desk beside Jeanne's phone, in the middle of their conversation."""

    def context(**options: Any) -> Any:
        return browser.new_context(
            locale=FRENCH.locale, timezone_id="Europe/Paris", reduced_motion="reduce", **options
        )

    visitors = [Visitor(context(viewport=PHONE), product.url, FRENCH) for _ in FIRST_WORDS]
    alice = Agent(context(viewport=DESK), product.url, "alice", FRENCH)
    for visitor, words in zip(visitors, FIRST_WORDS, strict=True):
        visitor.start(words)
    for number, name in enumerate(NAMES[: len(visitors)]):
        product.rows(
            "UPDATE conversations_visitor SET name = %s WHERE id = (SELECT visitor_id FROM "
            "conversations_conversation ORDER BY id OFFSET %s LIMIT 1) RETURNING id",
            name,
            number,
        )
    alice.log_in()
    alice.status.click()
    expect(alice.boxes).to_have_count(len(visitors))
    alice.sees(FIRST_WORDS[0])
    alice.say("Bonjour Karim, je contacte le transporteur et je reviens vers vous.")
    jeanne = visitors[1]
    alice.boxes.nth(1).click()
    alice.sees("pied plus clair")
    alice.say("Bonjour Jeanne ! Oui, en noyer et en chêne clair.")
    alice.say("Le chêne arrive vendredi : je vous en mets une de côté ?")
    jeanne.sees("de côté")
    jeanne.say("Avec plaisir, merci ! Je passerai samedi matin.")
    alice.sees("samedi matin")
    alice.say("C’est noté. Je vous écris dès qu’elle est là.")
    expect(alice.bubble("C’est noté")).to_contain_text(FRENCH("Read by the visitor"))
    expect(alice.page.get_by_role("status").filter(has_text="…")).to_have_count(0)

    board = browser.new_page(viewport={"width": 1440, "height": 784})
    shots = [encoded(page.screenshot()) for page in (alice.page, jeanne.page)]
    board.set_content(BOARD.format(desk=shots[0], phone=shots[1]))
    return board.screenshot()


def encoded(image: bytes) -> str:
    return base64.b64encode(image).decode()


if __name__ == "__main__":
    main()
