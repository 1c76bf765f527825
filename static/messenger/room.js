// Whether a conversation could start now: asked at the endpoint of page views, and asked again,
// less and less often, while a visitor waits for room with the page in view (B4).

import { clock, longDay } from "../shared/moments.js";

const FIRST_MS = 3000; // An answer may be two seconds old.
const LONGEST_MS = 60_000;
const LONGEST_CLOSED_MS = 15 * 60_000;
const SLOWER = 1.6;

export class Room {
  /** view() is the page's view; onAnswer(answer) gets each answer; onRoom(): there is room. */
  constructor({ session, config, view, onAnswer, onRoom }) {
    Object.assign(this, { session, view, onAnswer, onRoom });
    this.strings = config.strings;
    this.stop();
    document.addEventListener("visibilitychange", () => this.#seen());
    addEventListener("online", () => this.#seen());
  }

  /** Return the answer for the present page; null if the server could not be asked. */
  async ask() {
    try {
      const body = JSON.stringify({ ...this.view(), again: true });
      const response = await fetch(this.session.url("engagement/"), { method: "POST", body });
      if (!response.ok) return null;
      const answer = await response.json();
      this.onAnswer(answer);
      return answer;
    } catch {
      return null;
    }
  }

  /** Ask until there is room. It is announced once, and nothing is ever sent automatically. */
  wait() {
    this.isWaiting = true;
    this.delay = FIRST_MS;
    this.#later(FIRST_MS);
  }

  stop() {
    clearTimeout(this.timer);
    this.isWaiting = false;
    this.isAsking = false;
  }

  #seen() {
    if (this.isWaiting && !this.isAsking) this.#try();
  }

  async #try() {
    clearTimeout(this.timer);
    if (document.visibilityState !== "visible") return; // Tried when the page is in view again.
    this.isAsking = true;
    const answer = await this.ask();
    if (!this.isWaiting) return;
    this.isAsking = false;
    if (answer?.engage) {
      this.stop();
      this.onRoom();
      return;
    }
    const untilOpen = answer?.opens_at ? new Date(answer.opens_at) - Date.now() : 0;
    this.delay = Math.min(this.delay * SLOWER, LONGEST_MS);
    this.#later(Math.max(this.delay, Math.min(untilOpen, LONGEST_CLOSED_MS)));
  }

  /** With a random delay, so that not all who wait ask at the same moment. */
  #later(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#try(), milliseconds * (1 + 0.3 * Math.random()));
  }

  /** "We are back tomorrow at 9:00.", in this browser's time zone; "" if it is unknown. */
  reopening({ opens_at: opensAt } = {}) {
    if (!opensAt) return "";
    const at = new Date(opensAt);
    const tomorrow = new Date();
    tomorrow.setDate(tomorrow.getDate() + 1);
    let line = this.strings.back_on;
    if (at.toDateString() === new Date().toDateString()) line = this.strings.back_today;
    else if (at.toDateString() === tomorrow.toDateString()) line = this.strings.back_tomorrow;
    return line.replace("{time}", clock(at)).replace("{day}", longDay(at));
  }
}
