// What an agent does on the visitor's page (R191): asks, and with the visitor's permission points,
// highlights, draws, scrolls, clicks and fills in. The visitor's browser decides about each action.

import { element, texts } from "./page.js";

const WORDS = texts.cobrowsing ?? {};
const TOOLS = ["point", "highlight", "draw", "click", "fill"]; // A click also opens links.
const ANSWER_MS = 10_000;

export class Cobrowsing {
  /** send(frame): to the server; post(message): to the frame with the picture; page(): what the
  picture is of; mayAsk */
  constructor({ send, post, page, mayAsk }) {
    Object.assign(this, { send, post, page });
    this.state = "idle";
    this.keys = 0;
    this.open = new Map(); // Actions without an answer: their timers, by key.
    this.numbers = new Map(); // Their keys, by number.
    this.bar = element("div", { class: "cobrowse", role: "group", "aria-label": WORDS.name });
    this.status = element("p", { class: "cobrowse-status small", role: "status" });
    this.bar.hidden = !mayAsk;
    this.draw();
  }

  get isOn() {
    return this.state === "on";
  }

  draw() {
    const parts = { idle: () => [press(WORDS.ask, () => this.ask())], asked: () => this.#waiting(), on: () => this.#tools() };
    this.bar.replaceChildren(...parts[this.state](), this.status);
    this.bar.classList.toggle("on", this.isOn);
    this.post({ type: "mirror:tool", tool: this.isOn ? this.tool : "", scrolls: this.isOn && this.allowed.includes("scroll") });
  }

  ask() {
    this.say("");
    this.send({ type: "ask" });
  }

  #waiting() {
    return [element("span", {}, WORDS.asked), press(WORDS.takeBack, () => this.send({ type: "leave" }))];
  }

  #tools() {
    const offered = TOOLS.filter((tool) => this.#may(tool));
    const tools = offered.map((tool) => {
      const made = press(WORDS.tools[tool], () => this.#choose(tool));
      made.setAttribute("aria-pressed", tool === this.tool);
      return made;
    });
    const end = press(WORDS.end, () => this.send({ type: "leave" }));
    return [element("div", { class: "cobrowse-tools" }, ...tools), end];
  }

  #may(tool) {
    return this.allowed.includes(tool) || (tool === "click" && this.allowed.includes("link"));
  }

  #choose(tool) {
    this.tool = tool;
    this.draw();
    this.bar.querySelector("[aria-pressed=true]")?.focus();
  }

  /** A frame of the server. */
  hear({ type, state, why, allowed, key, number, outcome, target }) {
    if (type === "cobrowsing") return this.#turn(state, why, allowed);
    if (type === "acting") return this.numbers.set(number, key);
    const answered = key ?? this.numbers.get(number);
    clearTimeout(this.open.get(answered));
    this.open.delete(answered);
    this.numbers.delete(number);
    const isNameless = outcome === "done" && !target; // A drawing, or a step of scrolling.
    this.say((WORDS.outcomes[isNameless ? "nameless" : outcome] ?? WORDS.outcomes.unfit).replace("{target}", target ?? ""));
  }

  #turn(state, why, allowed) {
    if (state === "refused") return this.say(WORDS.why[why] ?? WORDS.over);
    this.state = state === "over" ? "idle" : state;
    this.allowed = allowed ?? [];
    this.tool = TOOLS.find((tool) => this.#may(tool)) ?? "";
    this.draw();
    this.say(state === "over" ? (WORDS.why[why] ?? WORDS.over) : state === "on" ? WORDS.accepted : "");
  }

  /** The line is down: the session is over with its look. */
  drop() {
    if (this.state !== "idle") this.#turn("over", "left");
  }

  say(sentence) {
    this.status.textContent = sentence;
  }

  /** What the agent did in the picture. */
  gesture({ what, x, y, ...gesture }) {
    if (!this.isOn) return;
    if (what === "point") return this.send({ type: "point", x, y, page: this.page() });
    if (what === "fill") return this.#askText(gesture);
    // A click on a link is the permission for links.
    const kind = what === "click" && gesture.isLink ? "link" : what;
    this.act(kind, gesture);
  }

  act(kind, { node, tag, label, points, dx, dy, text }) {
    const key = (this.keys += 1);
    this.send({ type: "act", key, kind, page: this.page(), node, tag, label, points, dx, dy, text });
    const unanswered = () => {
      this.open.delete(key);
      this.say(WORDS.outcomes.unanswered);
    };
    this.open.set(key, setTimeout(unanswered, ANSWER_MS));
  }

  /** What to write into the field that the agent chose. */
  #askText(gesture) {
    const id = `cobrowse-text-${this.keys}`;
    const input = element("input", { id, type: "text", maxlength: "1000", autocomplete: "off" });
    const label = element("label", { for: id }, WORDS.text.replace("{target}", gesture.label || `<${gesture.tag}>`));
    const send = element("button", { type: "submit", class: "button primary" }, WORDS.fill);
    const form = element("form", { class: "cobrowse-form" }, label, input, send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.act("fill", { ...gesture, text: input.value });
      form.remove();
      this.bar.querySelector("[aria-pressed=true]")?.focus();
    });
    this.bar.querySelector(".cobrowse-form")?.remove();
    this.bar.insertBefore(form, this.status);
    input.focus();
  }
}

function press(label, act) {
  const made = element("button", { type: "button", class: "button" }, label);
  made.addEventListener("click", () => act());
  return made;
}
