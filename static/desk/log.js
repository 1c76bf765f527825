// The messages of a dialogue, drawn from a Thread: days, groups by author, ticks. Text only, ever.

import { clock, daysFrom, localeOf, longDay } from "../shared/moments.js";
import { attached } from "./attached.js";
import { offered } from "./offered.js";
import { element, icon, texts } from "./page.js";

const GROUP_MS = 5 * 60_000;
const NEAR_PX = 120;
const NEAR_GROUPS = 30;
const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;
const language = document.documentElement.lang;
const { zone: timeZone } = document.body.dataset; // The agent's own, wherever the machine is.
const format = (options) => new Intl.DateTimeFormat(localeOf(language), { timeZone, hourCycle: "h23", ...options });
const full = format({ dateStyle: "full", timeStyle: "medium" });
const date = format({ dateStyle: "short" });

export class Log {
  constructor(root, visitor, number) {
    this.root = root;
    this.number = number;
    this.visitor = visitor;
    this.drawn = 0;
    this.near = [];
    this.unread = [];
    this.tail = element("div", { class: "group mine", hidden: "" });
    this.empty = element("p", { class: "muted none", hidden: "" }, texts.noMessages);
    root.replaceChildren(this.empty, this.tail);
    // Who reads the end keeps it, also when a phone's keyboard or a smaller window takes room.
    this.isAtEnd = true;
    root.addEventListener("scroll", () => (this.isAtEnd = this.isNearEnd()), { passive: true });
    new ResizeObserver(() => this.isAtEnd && this.#toEnd()).observe(root);
  }

  /** Bring the log up to what `thread` knows. */
  draw(thread) {
    const wasNear = this.isNearEnd();
    const mineGrew = thread.pending.length > this.tail.childElementCount;
    for (const message of thread.messages.slice(this.drawn)) this.#append(message);
    this.drawn = thread.messages.length;
    this.#drawPending(thread.pending);
    this.#drawTicks(thread.otherRead);
    this.empty.hidden = this.drawn + thread.pending.length > 0 || !thread.isLoaded;
    if (wasNear || mineGrew) this.#toEnd();
  }

  #toEnd() {
    this.root.scrollTop = this.root.scrollHeight;
    this.isAtEnd = true;
  }

  isNearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.root;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  #append(message) {
    const at = new Date(message.at);
    const last = this.last;
    const isNewDay = !last || date.format(last.at) !== date.format(at);
    if (isNewDay) this.tail.before(element("div", { class: "day" }, element("span", {}, dayName(at))));
    const isSame = last && last.author === message.author && last.name === message.name;
    if (isNewDay || !isSame || at - last.at > GROUP_MS) {
      this.group = this.#group(message, at);
      this.tail.before(this.group);
      // What is far above the end is not laid out and painted until somebody scrolls there.
      this.near.push(this.group);
      if (this.near.length > NEAR_GROUPS) this.near.shift().classList.add("far");
    }
    const bubble = this.#bubble(message, { class: "bubble", title: full.format(at) });
    if (message.author === "agent") {
      const tick = element("span", { class: "tick" });
      bubble.append(tick);
      setTick(tick, "sent");
      this.unread.push({ seq: message.seq, tick });
    }
    this.group.append(bubble);
    this.last = { at, author: message.author, name: message.name };
  }

  #bubble({ body, attachment, offer }, attributes) {
    const bubble = element("div", attributes, ...linked(offer ? offer.text : body));
    if (offer) bubble.append(...offered(offer));
    if (attachment) {
      bubble.classList.toggle("carries", !body);
      bubble.prepend(attached(attachment, this.number));
    }
    return bubble;
  }

  #group(message, at) {
    const side = { agent: "mine", visitor: "theirs", bot: "mine bot" }[message.author] ?? "system";
    const who = { visitor: this.visitor, bot: texts.bot }[message.author] ?? message.name;
    const head = element("header", {}, element("span", { class: "author" }, who), " ");
    head.append(element("time", { datetime: at.toISOString() }, clock(at, timeZone)));
    return element("div", { class: `group ${side}` }, head);
  }

  #drawPending(pending) {
    const bubbles = pending.map((item) => {
      const tick = element("span", { class: "tick" });
      setTick(tick, "sending");
      const bubble = this.#bubble(item, { class: "bubble pending" });
      bubble.append(tick);
      return bubble;
    });
    this.tail.replaceChildren(...bubbles);
    this.tail.hidden = !bubbles.length;
  }

  #drawTicks(otherRead) {
    this.unread = this.unread.filter(({ seq, tick }) => {
      if (seq > otherRead) return true;
      setTick(tick, "read");
      return false;
    });
  }
}

const TICKS = { sending: "clock", sent: "check", read: "check-check" };

function setTick(tick, state) {
  tick.className = `tick ${state}`;
  tick.replaceChildren(icon(TICKS[state]), element("span", { class: "sr-only" }, texts[state]));
}

function dayName(at) {
  const days = daysFrom(at, timeZone);
  return { 0: texts.today, [-1]: texts.yesterday }[days] ?? longDay(at, timeZone);
}

/** The text, its web addresses made links; built as nodes, so that nothing in it is markup. */
function linked(body) {
  const nodes = [];
  let end = 0;
  for (const { 0: address, index } of body.matchAll(LINK)) {
    nodes.push(body.slice(end, index));
    nodes.push(element("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, address));
    end = index + address.length;
  }
  nodes.push(body.slice(end));
  return nodes.filter((node) => node !== "");
}
