// The messages of a dialogue, drawn from a Thread: days, groups by author, ticks; between them, by
// time, the events and notes of the server's fragment. Messages are only ever inserted as text.

import { clock, daysFrom, localeOf, longDay } from "../shared/moments.js";
import { showTranslation, showUntranslated } from "../shared/translated.js";
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
  /** `tint`: the number of the visitor's colour. `isInbox`: it leaves by a channel outside the Messenger,
   *  whose provider says what became of each message. */
  constructor(root, { visitor, tint, number, isInbox = false }) {
    Object.assign(this, { root, visitor, tint, number, isInbox });
    this.deliveries = new Map(); // by seq: {status, reason}
    this.bubbles = new Map(); // by seq
    this.translated = new Map(); // by seq: the translation that is shown
    this.asides = []; // events and notes: {id, at, node}, in their order
    this.unread = [];
    this.tail = element("div", { class: "group mine", hidden: "" });
    this.empty = element("p", { class: "muted none", hidden: "" }, texts.noMessages);
    this.#clear();
    // A reader at the end stays there, even if a phone's keyboard or a smaller window takes room.
    this.isAtEnd = true;
    root.addEventListener("scroll", () => (this.isAtEnd = this.isNearEnd()), { passive: true });
    new ResizeObserver(() => this.isAtEnd && this.#toEnd()).observe(root);
  }

  /** Bring the log up to what `thread` knows, and to the events and notes of the fragment. */
  draw(thread, asides) {
    const wasNear = this.isNearEnd();
    const mineGrew = thread.pending.length > this.tail.childElementCount;
    const fresh = thread.messages.slice(this.bubbles.size);
    for (const message of fresh) this.bubbles.set(message.seq, this.#bubbleOf(message));
    // Events before the first messages have loaded would only have to be drawn again below them.
    const added = thread.isLoaded ? this.#adopt(asides) : [];
    if (!this.#append(fresh, added)) this.#drawAnew(thread.messages);
    this.#drawTranslations(thread);
    this.#drawPending(thread.pending);
    this.#drawTicks(thread.otherRead);
    this.empty.hidden = this.bubbles.size + thread.pending.length > 0 || !thread.isLoaded;
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

  #clear() {
    this.near = [];
    this.last = null;
    this.root.replaceChildren(this.empty, this.tail);
  }

  /** Return the asides that are new here, oldest first. */
  #adopt(list) {
    const known = new Set(this.asides.map(({ id }) => id));
    const added = [];
    for (const source of list) {
      if (known.has(source.id)) continue;
      const node = element("div", { class: source.className, "data-aside": source.id });
      node.append(...source.cloneNode(true).childNodes);
      added.push({ id: source.id, at: new Date(source.dataset.at), node });
    }
    const byMoment = (one, other) => one.at - other.at;
    this.asides = [...this.asides, ...added].sort(byMoment);
    return added.sort(byMoment);
  }

  /** Append what is newer than everything shown; false if something belongs further up. */
  #append(messages, asides) {
    const pairs = [...merged(messages, asides)];
    if (!pairs.length) return true;
    const [message, aside] = pairs[0];
    const { at: end, isAside } = this.last ?? {};
    const at = aside?.at ?? new Date(message.at);
    if (isAside ? at < end : aside && at <= end) return false;
    this.#add(pairs);
    return true;
  }

  #add(pairs) {
    for (const [message, aside] of pairs) {
      if (message) this.#addMessage(message);
      else this.#addAside(aside);
    }
  }

  /** Put the same nodes into new groups, without moving what is in view. */
  #drawAnew(messages) {
    const fromEnd = this.root.scrollHeight - this.root.scrollTop;
    this.root.setAttribute("aria-busy", "true"); // Screen readers read nothing twice.
    this.#clear();
    this.#add(merged(messages, this.asides));
    this.root.scrollTop = this.root.scrollHeight - fromEnd;
    requestAnimationFrame(() => this.root.removeAttribute("aria-busy"));
  }

  /** Add a line with the day, if another day begins. */
  #addDay(at) {
    const isNewDay = !this.last || date.format(this.last.at) !== date.format(at);
    if (isNewDay) this.tail.before(element("div", { class: "day" }, element("span", {}, dayName(at))));
    return isNewDay;
  }

  #addAside({ at, node }) {
    this.#addDay(at);
    this.tail.before(node);
    this.last = { at, isAside: true };
  }

  #addMessage(message) {
    const at = new Date(message.at);
    const { last } = this;
    const isNewDay = this.#addDay(at);
    const isSame = last && last.author === message.author && last.name === message.name;
    if (isNewDay || !isSame || at - last.at > GROUP_MS) {
      this.group = this.#group(message, at);
      this.tail.before(this.group);
      // Groups far above the end are not laid out and painted until somebody scrolls there.
      this.near.push(this.group);
      if (this.near.length > NEAR_GROUPS) this.near.shift().classList.add("far");
    }
    this.group.append(this.bubbles.get(message.seq));
    this.last = { at, author: message.author, name: message.name };
  }

  #bubbleOf(message) {
    const bubble = this.#bubble(message, {
      class: "bubble",
      title: full.format(new Date(message.at)),
      "data-author": message.author,
    });
    if (message.author === "agent" || (this.isInbox && message.author !== "visitor")) {
      const tick = element("span", { class: "tick" });
      bubble.append(tick);
      setTick(tick, this.isInbox ? "sending" : "sent");
      this.unread.push({ seq: message.seq, tick });
    }
    return bubble;
  }

  #bubble({ body, attachment, offer, email }, attributes) {
    const said = element("div", { class: "said" }, ...linked(offer ? offer.text : body));
    if (offer) said.append(...offered(offer));
    const bubble = element("div", attributes, said);
    if (attachment) {
      bubble.classList.toggle("carries", !body);
      bubble.prepend(attached(attachment, this.number));
    }
    if (email) bubble.append(wholeEmail(email, this.number));
    return bubble;
  }

  #group(message, at) {
    const side = { agent: "mine", visitor: "theirs", bot: "mine bot" }[message.author] ?? "system";
    const isBot = message.author === "bot";
    const who = message.author === "visitor" ? this.visitor : message.name || (isBot ? texts.bot : "");
    const head = element("header", {}, element("span", { class: "author" }, who), " ");
    if (isBot && message.name) head.append(element("span", { class: "badge" }, texts.bot), " ");
    head.append(element("time", { datetime: at.toISOString() }, clock(at, timeZone)));
    const group = element("div", { class: `group ${side}` }, head);
    const tint = message.author === "visitor" ? ` tint-${this.tint}` : "";
    if (side !== "system") {
      group.prepend(element("span", { class: `avatar${tint}`, "aria-hidden": "true" }, initials(who)));
    }
    return group;
  }

  /** Agents read translations of what visitors and bots wrote; of their own messages the visitor does. */
  #drawTranslations({ translations }) {
    for (const { seq, state, text, language } of translations.values()) {
      const bubble = this.bubbles.get(seq);
      if (!bubble || this.translated.get(seq) === text) continue;
      this.translated.set(seq, text);
      const said = bubble.querySelector(".said");
      const isForReader = !bubble.matches("[data-author=agent]");
      if (state === "failed") {
        showUntranslated(said, isForReader ? texts.untranslated : texts.untranslatedFor);
        continue;
      }
      const { original, translation } = texts;
      const mark = isForReader ? texts.translated : texts.translatedFor;
      showTranslation(said, { nodes: linked(text), language, isForReader, words: { mark, original, translation } });
    }
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
      if (this.isInbox) return !this.#drawDelivery(tick, this.deliveries.get(seq));
      if (seq > otherRead) return true;
      setTick(tick, "read");
      return false;
    });
  }

  /** Return whether nothing more is to come. */
  #drawDelivery(tick, delivery) {
    const status = delivery?.status ?? "owed";
    setTick(tick, { owed: "sending", failed: "undelivered" }[status] ?? status);
    tick.title = delivery?.reason ?? "";
    if (status !== "failed") return status === "read";
    const why = element("p", { class: "why-undelivered" }, delivery.reason || texts.undelivered);
    const bubble = tick.parentElement;
    bubble.querySelector(".why-undelivered")?.remove();
    bubble.append(why);
    return Boolean(delivery.reason);
  }
}

/** Messages and asides in order, as pairs of which one is set. An aside at the very moment of a
 *  message was caused by it, and stands before it. */
function* merged(messages, asides) {
  let next = 0;
  for (const message of messages) {
    const at = new Date(message.at);
    while (next < asides.length && asides[next].at <= at) yield [null, asides[next++]];
    yield [message, null];
  }
  while (next < asides.length) yield [null, asides[next++]];
}

/** The same initials as in the server's templates. */
function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "").join("");
}

/** A button for the whole e-mail, including what was cut from it. */
function wholeEmail(email, number) {
  const button = element("button", { type: "button", class: "whole-email" }, icon("at-sign"), texts.wholeEmail);
  button.addEventListener("click", () => {
    htmx.ajax("GET", `/desk/c/${number}/emails/${email}/`, { target: "#dialog-body", swap: "innerHTML" });
  });
  return button;
}

const TICKS = { sending: "clock", sent: "check", delivered: "check-check", read: "check-check", undelivered: "triangle-alert" };

function setTick(tick, state) {
  tick.className = `tick ${state}`;
  tick.replaceChildren(icon(TICKS[state]), element("span", { class: "sr-only" }, texts[state]));
}

function dayName(at) {
  const days = daysFrom(at, timeZone);
  return { 0: texts.today, [-1]: texts.yesterday }[days] ?? longDay(at, timeZone);
}

/** The text with links for its web addresses; built as nodes, so that nothing in it is markup. */
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
