// Where the reader is in the dialogue: at its end, and then he stays there, or further up.

import { byId } from "./elements.js";

const NEAR_END = 80;

export class Scroll {
  constructor() {
    this.isAtEnd = true;
    this.box = byId("scroller");
    this.button = byId("newer");
    this.button.addEventListener("click", () => this.toEnd());
    this.box.addEventListener("scroll", () => this.#note(), { passive: true });
    new ResizeObserver(() => this.isAtEnd && this.toEnd()).observe(this.box);
  }

  /** Something was drawn; `wasAtEnd` before it, and with news from others or without. */
  follow(wasAtEnd, hasNews) {
    if (wasAtEnd) this.toEnd();
    else if (hasNews) this.button.hidden = false;
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.isAtEnd = true;
    this.button.hidden = true;
  }

  #note() {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.isAtEnd) this.button.hidden = true;
  }
}
