"""Visitors, agents and overseers at their browsers: what they see and do."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

from tests.browser.language import Language

WITHOUT_TICKS = """bubbles => bubbles.map(bubble => [...bubble.childNodes]
  .filter(node => !node.classList?.contains("tick")).map(node => node.textContent).join(""))"""

ENGLISH = Language("en")


class Visitor:
    """A visitor on the brand's site, with its Messenger."""

    def __init__(self, context: BrowserContext, url: str, translate: Language = ENGLISH) -> None:
        self.context = context
        self.url = url
        self.translate = translate
        self.page: Page = context.new_page()

    def visit(self, path: str = "/demo/cart/") -> Visitor:
        """Open a page of the shop; by default the cart, which has no pictures while it is empty."""
        self.page.goto(self.url + path)
        return self

    def visit_until_engaged(self, engaged: bool) -> None:
        """Visit until the server gives this answer; its snapshot may be two seconds old."""
        for _try in range(60):
            with self.page.expect_response(re.compile("/engagement/")) as answer:
                self.visit()
            if answer.value.json()["engage"] is engaged:
                return
        raise AssertionError(f"the answer never became {engaged}")

    @property
    def launcher(self) -> Locator:
        names = f"{self.translate('Open the chat')}|{self.translate('Minimise the chat')}"
        return self.page.get_by_role("button", name=re.compile(names))

    @property
    def frame(self) -> FrameLocator:
        title = self.translate("Chat with {brand}").replace("{brand}", "Maison Céleste")
        return self.page.get_by_title(title).content_frame

    @property
    def box(self) -> Locator:
        return self.frame.get_by_label(self.translate("Your message"))

    @property
    def log(self) -> Locator:
        return self.frame.get_by_role("log", name=self.translate("Conversation"))

    def open(self) -> None:
        """Open the Messenger, unless it is open: during a conversation it stays open across
        pages."""
        expect(self.launcher).to_be_visible()
        if self.launcher.get_attribute("aria-expanded") != "true":
            self.launcher.click()
        expect(self.frame.get_by_role("heading", name="Maison Céleste")).to_be_visible()

    def reduce(self) -> None:
        self.frame.get_by_role("button", name=self.translate("Minimise the chat")).click()
        # The page hears of it by a message; before, `open` would find it open.
        expect(self.launcher).not_to_have_attribute("aria-expanded", "true")

    def agree(self) -> None:
        self.frame.get_by_role("button", name=self.translate("I accept")).click()
        expect(
            self.frame.get_by_role("heading", name=self.translate("Before we start"))
        ).to_be_hidden()

    def say(self, text: str) -> Locator:
        """Write and send; return the bubble, which may not have been delivered yet."""
        self.box.fill(text)
        self.box.press("Enter")
        bubble = self.bubble(text)
        expect(bubble).to_be_visible()
        return bubble

    def bubble(self, text: str) -> Locator:
        """Return one message of the conversation, with its time and tick."""
        return self.log.get_by_role("listitem").filter(has_text=text)

    def sees(self, text: str) -> None:
        expect(self.bubble(text)).to_be_visible()

    def start(self, text: str) -> None:
        """From a page of the shop to the first message that the server has stored."""
        self.visit()
        self.open()
        self.agree()
        self.say(text)
        expect(self.bubble(text)).to_contain_text(self.translate("Sent"))

    def texts(self) -> list[str]:
        """Return the messages on the screen, without the greeting and notes."""
        stored = self.log.locator("li.mine .bubble, li.theirs:not(:first-child) .bubble")
        return stored.all_inner_texts()


class Agent:
    """An agent at the desk. Managers and administrators are agents with more tabs."""

    def __init__(
        self, context: BrowserContext, url: str, name: str, translate: Language = ENGLISH
    ) -> None:
        self.context = context
        self.url = url
        self.translate = translate
        self.name = name
        self.was_warned = False  # by the first snooze that closes by itself
        self.page: Page = context.new_page()

    def log_in(self, path: str = "/desk/") -> Agent:
        """Open a staff page, logging in if required."""
        self.page.goto(self.url + path)
        if "/login/" not in self.page.url:
            return self
        self.page.get_by_label(self.translate("Username")).fill(self.name)
        self.page.get_by_label(self.translate("Password")).fill("demo")
        self.page.get_by_role("button", name=self.translate("Log in"), exact=True).click()
        self.page.wait_for_url(self.url + path)
        return self

    @property
    def status(self) -> Locator:
        """The status button for chat."""
        return self.page.get_by_role("group", name=self.translate("Your availability")).get_by_role(
            "button"
        )

    def be_available(self) -> Agent:
        self.status.click()
        expect(self.status).to_have_attribute("aria-pressed", "true")
        return self

    @property
    def boxes(self) -> Locator:
        column = self.page.get_by_role(
            "complementary", name=self.translate("Conversations on your desk")
        )
        return column.get_by_role("list").get_by_role("link")

    def box(self, number: int) -> Locator:
        return self.boxes.filter(has_text=f"#{number}")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log", name=self.translate("Messages"))

    @property
    def reply(self) -> Locator:
        return self.page.get_by_label(self.translate("Your reply"))

    @property
    def note(self) -> Locator:
        """The field for a note, once it is chosen instead of the reply."""
        return self.page.get_by_label(self.translate("Note for the team"), exact=True)

    def choose(self, mode: str) -> None:
        """Choose "Reply" or "Note"."""
        group = self.page.get_by_role("group", name=self.translate("Your text"))
        group.get_by_role("button", name=self.translate(mode), exact=True).click()

    def notes(self, text: str) -> Locator:
        """Return the notes in the thread that contain a text."""
        return self.log.locator(".note").filter(has_text=text)

    def say(self, text: str) -> Locator:
        self.reply.fill(text)
        self.reply.press("Enter")
        bubble = self.bubble(text)
        expect(bubble).to_be_visible()
        return bubble

    def bubble(self, text: str) -> Locator:
        return self.log.locator(".bubble").filter(has_text=text)

    def sees(self, text: str) -> None:
        expect(self.bubble(text)).to_be_visible()

    def act(self, verb: str) -> None:
        """Press one of the buttons on the right."""
        actions = self.page.get_by_role("region", name=self.translate("Actions"))
        if verb == "Block":
            actions.get_by_label(self.translate("More actions")).click()
        actions.get_by_role("button", name=self.translate(verb)).click()

    def close_unanswered(self) -> None:
        """Close, and confirm that closing without an answer is intended."""
        self.act("Close")
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("button", name=self.translate("Close without an answer")).click()
        expect(dialog).to_be_hidden()

    def transfer(self, name: str) -> None:
        """Choose a colleague or a team in the open dialog, and confirm."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("radio", name=re.compile(name)).check()
        dialog.get_by_role("button", name=f"Transfer to {name}").click()

    def snooze(self, *, duration: str = "3 hours", keep: bool) -> None:
        self.act("Snooze")
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_text(duration, exact=True).click()
        dialog.get_by_label("Keep the conversation").set_checked(keep)
        dialog.get_by_role("button", name="Snooze").click()
        if not self.was_warned:
            expect(dialog.get_by_label("Do not show this again")).to_be_checked()
            dialog.get_by_role("button", name="Snooze", exact=True).click()
            self.was_warned = True
        expect(dialog).to_be_hidden()

    def texts(self) -> list[str]:
        """Return the messages on the screen, without their ticks."""
        texts: list[str] = self.log.locator(".bubble").evaluate_all(WITHOUT_TICKS)
        return texts

    def log_out(self) -> None:
        self.page.get_by_label(re.compile("^Your account")).click()
        self.page.get_by_role("button", name=self.translate("Log out")).click()
        self.page.wait_for_url("**/login/")


class Board:
    """A manager who watches the production report."""

    def __init__(self, manager: Agent) -> None:
        self.manager = manager
        self.page = manager.page
        self.loads = 0

    def watch(self) -> Board:
        self.manager.log_in("/reports/production/")
        expect(self.page.get_by_text("Live", exact=True)).to_be_visible()
        self.page.on("load", self._count)
        return self

    def shows(self, **figures: int) -> None:
        """Expect the values of waiting, on_desks, snoozed and closed_today."""
        for name, figure in figures.items():
            title = name.replace("_", " ").capitalize()
            term = self.page.get_by_role("term").filter(has_text=re.compile(f"^{title}$"))
            tile = self.page.locator(".tile").filter(has=term)
            expect(tile.get_by_role("definition").first).to_have_text(str(figure))

    def shows_queue(self, group: str, waiting: str) -> None:
        queues = self.page.get_by_role("region", name="Queues")
        expect(queues.get_by_role("row").filter(has_text=group)).to_contain_text(waiting)

    def shows_agent(self, name: str, load: str) -> None:
        agents = self.page.get_by_role("region", name="Connected agents")
        expect(agents.get_by_role("row").filter(has_text=name)).to_contain_text(load)

    def was_never_reloaded(self) -> None:
        assert self.loads == 0

    def _count(self, page: Page) -> None:
        self.loads += 1
