// In the visitor's page: what the agent does there, once the visitor has accepted. Each action is
// checked, shown, checked again and then done.

import { guarded, refusal } from "./permits.js";
import { labelOf, tagOf } from "./targets.js";

const NOTICE_MS = 600; // The visitor sees what will happen, and can still stop it.
const SHOWN_MS = 4000;

export class Cobrowsing {
  /** tell(type, detail): a message for the Messenger; border: what the visitor sees;
  hidden(): the selector of private parts; elementOf(id) */
  constructor({ tell, border, hidden, elementOf }) {
    Object.assign(this, { tell, border, hidden, elementOf });
    this.session = null;
    this.queue = Promise.resolve();
    addEventListener("keydown", (event) => this.session && event.key === "Escape" && this.stop(), true);
  }

  get isOn() {
    return this.session !== null;
  }

  /** The session that the visitor accepted, or null. */
  show(session, { labels, domains }) {
    if (session?.id === this.stopped) return; // The server has not heard of the stop yet.
    this.session = session?.is_on ? session : null;
    Object.assign(this, { labels, domains });
    this.border.showSession(this.session && { ...this.session, labels, onStop: () => this.stop() });
  }

  /** By the visitor: here at once, whatever the server does. */
  stop() {
    this.stopped = this.session?.id;
    this.session = null;
    this.border.showSession(null);
    this.tell("cobrowsing-stop", {});
  }

  point({ x, y }) {
    if (this.session?.allowed.includes("point")) this.border.point(x, y, this.session.name);
  }

  /** One after the other, as the agent did them. */
  act(action) {
    const { session } = this;
    this.queue = this.queue.then(() => this.#perform(action, session)).catch(() => this.#answer(action, "unfit", ""));
  }

  async #perform(action, session) {
    const element = action.kind === "draw" ? null : this.elementOf(action.node);
    const target = action.kind === "scroll" ? "" : this.#targetName(element);
    const refused = this.#refusal(action, element, session);
    if (refused) return this.#answer(action, refused, target);
    if (action.kind === "draw") this.border.draw(action.points, SHOWN_MS);
    if (action.kind === "scroll") scroller(element).scrollBy({ left: action.dx, top: action.dy, behavior: "instant" });
    if (action.kind === "highlight") this.border.highlight(element, SHOWN_MS);
    this.border.say(this.#sentence(action.kind, session.name, target));
    if (["click", "link", "fill"].includes(action.kind)) return this.#change(action, element, session, target);
    this.#answer(action, "done", target);
  }

  async #change(action, element, session, target) {
    if (!isInView(element)) element.scrollIntoView({ block: "center", behavior: "instant" });
    this.border.highlight(element, NOTICE_MS);
    await new Promise((resolve) => setTimeout(resolve, NOTICE_MS));
    const refused = this.#refusal(action, element, session) || (isCovered(element) ? "changed" : "");
    if (refused) return this.#answer(action, refused, target);
    const limits = { ...this.#limits(session), element };
    if (action.kind === "fill") {
      let isFilled = true;
      const isStopped = guarded(() => (isFilled = fill(element, action.text)), limits);
      return this.#answer(action, isStopped ? "not_allowed" : isFilled ? "done" : "unfit", target);
    }
    // A link leaves the page, and with it the line to the desk.
    if (element.closest("a[href]")) this.#answer(action, "done", target);
    if (element.closest("a[href]")) await new Promise((resolve) => setTimeout(resolve, 50));
    if (session !== this.session) return;
    const isStopped = guarded(() => press(element), limits);
    this.#answer(action, isStopped ? "not_allowed" : "done", target);
  }

  #limits(session) {
    return { allowed: session.allowed, hidden: this.hidden(), domains: this.domains };
  }

  #refusal(action, element, session) {
    if (!session || session !== this.session) return "stopped";
    const refused = refusal(action.kind, element, this.#limits(session));
    if (refused || action.kind === "draw") return refused;
    if (action.kind === "scroll") return "";
    return tagOf(element) === action.tag && this.#label(element) === action.label ? "" : "changed";
  }

  #targetName(element) {
    if (!element?.isConnected || element.closest(this.hidden())) return "";
    return this.#label(element) || `<${tagOf(element)}>`;
  }

  #label(element) {
    return labelOf(element, (one) => one.matches(this.hidden()));
  }

  #sentence(kind, name, target) {
    return this.labels.acts[kind].replace("{name}", name).replace("{target}", target);
  }

  #answer({ number }, outcome, target) {
    this.tell("acted", { number, outcome, target });
  }
}

/** What scrolls when the pointer is over `element`: a part of the page, or the page. */
function scroller(element) {
  for (let one = element; one && one !== document.body; one = one.parentElement) {
    const isTaller = one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1;
    if (isTaller && /auto|scroll/.test(getComputedStyle(one).overflow)) return one;
  }
  return document.scrollingElement ?? document.documentElement;
}

function isInView(element) {
  const { top, left, bottom, right } = element.getBoundingClientRect();
  return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
}

/** Whether something else lies over it, such as a dialog that opened meanwhile. */
function isCovered(element) {
  const { top, left, width, height } = element.getBoundingClientRect();
  if (!width || !height) return !element.labels?.length;
  const topmost = document
    .elementsFromPoint(left + width / 2, top + height / 2)
    .find((one) => !one.matches("causerie-messenger, causerie-mirror"));
  return !topmost || ![element, ...(element.labels ?? [])].some((one) => one.contains(topmost));
}

function press(element) {
  element.focus?.({ preventScroll: true });
  element.click();
}

/** As if it were typed: frameworks replace the setter of single elements, and hear `input`. */
function fill(element, text) {
  element.focus({ preventScroll: true });
  if (element.localName === "select") {
    const option = [...element.options].find((one) => !one.disabled && one.text.trim().toLowerCase() === text.trim().toLowerCase());
    if (!option) return false;
    element.value = option.value;
  } else {
    const prototype = element.localName === "textarea" ? HTMLTextAreaElement.prototype : HTMLInputElement.prototype;
    const limit = element.maxLength > 0 ? element.maxLength : undefined;
    Object.getOwnPropertyDescriptor(prototype, "value").set.call(element, text.slice(0, limit));
  }
  element.dispatchEvent(new Event("input", { bubbles: true }));
  element.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}
