// Suggested replies to the visitor's last question: fetched when it has come, never in the way.
// Their outcome is reported once, when the agent answers.

import { element, icon, texts, write } from "./page.js";

const PAUSE_MS = 350; // People ask in several messages.
const KINDS = { canned: texts.suggestCanned, article: texts.suggestArticle, answer: texts.suggestAnswer, provider: texts.suggestProvider };
const post = (address, fields = {}) =>
  fetch(address, {
    method: "POST",
    headers: JSON.parse(document.body.getAttribute("hx-headers")),
    body: new URLSearchParams(fields),
  });

export class Suggestions {
  constructor({ form, number }) {
    Object.assign(this, { form, number, askedFor: 0, seq: 0, chosen: null });
    this.root = form.querySelector("[data-suggestions]");
    this.box = form.querySelector("textarea");
  }

  /** The dialogue changed: fetch suggestions if there is a new question without an answer. */
  follow({ messages, pending }) {
    const last = messages.findLast(({ author }) => author !== "system");
    const seq = last?.author === "visitor" && !pending.length ? last.seq : 0;
    if (seq === this.askedFor) return;
    this.askedFor = seq;
    this.#hide();
    clearTimeout(this.timer);
    if (seq) this.timer = setTimeout(() => this.renew(), PAUSE_MS);
  }

  async renew() {
    if (!this.askedFor || !this.form.isConnected) return;
    let offer;
    try {
      const response = await post(`/desk/c/${this.number}/suggestions/`);
      if (!response.ok) return;
      offer = await response.json();
    } catch {
      return; // The agent can answer without suggestions.
    }
    // A suggestion that is chosen, or about to be, stays where it is.
    const isTouched = this.chosen !== null || this.root.matches(":hover, :focus-within");
    if (offer.seq !== this.askedFor || (offer.seq === this.seq && isTouched)) return;
    this.seq = offer.seq;
    this.offered = offer.suggestions;
    this.#draw();
  }

  /** For the keyboard: the suggestions that can be chosen from elsewhere. */
  get list() {
    return this.root.hidden ? [] : this.offered.map((one, index) => ({ ...one, index })).filter(({ body }) => body);
  }

  choose(index) {
    const { body } = this.offered[index];
    const begun = this.box.value.trim();
    const isOurs = this.chosen !== null && begun === this.offered[this.chosen].body.trim();
    const place = !begun || isOurs ? [0, this.box.value.length] : [this.box.selectionStart, this.box.selectionEnd];
    write(this.box, body, ...place);
    this.chosen = index;
    this.#mark();
  }

  /** The agent has sent `body`. */
  answered(body) {
    if (!this.seq) return;
    const fields = {};
    if (this.chosen !== null) {
      const isSame = body.trim() === this.offered[this.chosen].body.trim();
      Object.assign(fields, { chosen: this.chosen, edited: !isSame });
    }
    post(`/desk/c/${this.number}/suggestions/${this.seq}/`, fields).catch(() => {});
    this.#hide();
  }

  #hide() {
    this.seq = 0;
    this.chosen = null;
    this.root.hidden = true;
    this.root.replaceChildren();
  }

  #draw() {
    if (!this.offered.length) {
      this.root.hidden = true;
      return;
    }
    this.buttons = new Map();
    const shown = this.offered.flatMap((one, index) => this.#shown(one, index));
    const shut = element("button", { type: "button", class: "button quiet square", "aria-label": texts.suggestHide }, icon("x"));
    shut.addEventListener("click", () => {
      this.root.hidden = true;
      this.box.focus();
    });
    this.root.replaceChildren(...shown, shut);
    this.root.hidden = false;
    this.#mark();
  }

  /** A button that inserts the reply, and for an article a link to read it. One for agents only
   *  has nothing to insert. */
  #shown({ source, title, body, page }, index) {
    const kind = element("span", { class: "kind" }, icon(page ? "file-text" : "sparkles"), title || KINDS[source]);
    if (!body) {
      const note = element("span", { class: "text" }, texts.suggestForAgents);
      return [element("a", { class: "offered", href: page, target: "_blank" }, kind, note)];
    }
    const shown = page ? body.split("\n").at(-1) : body;
    const button = element("button", { type: "button", class: "offered", title: body }, kind, element("span", { class: "text" }, shown));
    button.addEventListener("click", () => this.choose(index));
    this.buttons.set(index, button);
    if (!page) return [button];
    const label = texts.suggestRead.replace("{title}", title);
    const attributes = { class: "button quiet square", href: page, target: "_blank", "aria-label": label, title: label };
    return [button, element("a", attributes, icon("external-link"))];
  }

  #mark() {
    for (const [index, button] of this.buttons) button.setAttribute("aria-pressed", index === this.chosen);
  }
}
