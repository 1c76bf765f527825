// The reader's place in the dialogue. At the end, they stay there; further up, nothing moves them:
// a button with the number of new messages does.

import { byId } from "./elements.js";

const NEAR_END = 80;
const ABOVE_LINE = 12;

export class Scroll {
  /** onEnd(): the reader has scrolled to the end, or away from it */
  constructor({ strings, onEnd }) {
    Object.assign(this, { strings, onEnd });
    this.box = byId("scroller");
    this.isAtEnd = true;
    this.button = byId("newer");
    this.text = byId("newer-text");
    this.button.addEventListener("click", () => {
      this.toEnd();
      this.box.focus({ preventScroll: true }); // The button goes, and would take the focus with it.
      this.onEnd();
    });
    this.box.addEventListener("scroll", () => this.#moved(), { passive: true });
    new ResizeObserver(() => {
      this.height = this.box.clientHeight;
      if (this.known) this.toEnd();
    }).observe(this.box);
  }

  /** Browsers report scrolling a frame late; messages in between must not move the reader. */
  get isAtEnd() {
    if (this.box.clientHeight && this.box.scrollTop !== this.top) this.#note();
    return this.known;
  }

  set isAtEnd(is) {
    this.known = is;
    this.top = this.box.scrollTop;
  }

  /** Something was drawn; `wasAtEnd` before it, with so many messages `unseen` now. */
  follow(wasAtEnd, unseen) {
    if (wasAtEnd) this.toEnd();
    this.#offer(unseen);
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.isAtEnd = true;
    this.#offer(0);
  }

  /** Scroll to the line before the news: what does not fit below it waits there. */
  toLine(line) {
    const top = line.getBoundingClientRect().top - this.box.getBoundingClientRect().top;
    this.box.scrollTop += top - ABOVE_LINE;
    this.#note();
  }

  #offer(unseen) {
    const { news_one: one, news_many: many, to_end: toEnd } = this.strings;
    this.button.hidden = this.isAtEnd;
    if (this.isAtEnd) return;
    const text = unseen ? (unseen === 1 ? one : many.replace("{n}", unseen)) : "";
    if (this.text.textContent !== text) this.text.textContent = text;
    this.button.setAttribute("aria-label", text ? `${text}. ${toEnd}` : toEnd);
  }

  #note() {
    // A keyboard has come or gone: the browser scrolls before the observer is called.
    if (this.known && this.box.clientHeight !== this.height) return;
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.isAtEnd) this.button.hidden = true;
  }

  #moved() {
    const wasAtEnd = this.known;
    this.#note();
    if (wasAtEnd !== this.known) this.onEnd();
  }
}
