// Texts by a language model, on request: drafts with sources, other wordings, translations. A worker
// writes them; the agent puts one into the composer, and sends it or not.

import { element, icon, texts, write } from "./page.js";

const LOOK_MS = 1500; // A push may be lost.
const PATIENCE_MS = 45_000;
const post = (address, fields) =>
  fetch(address, {
    method: "POST",
    headers: JSON.parse(document.body.getAttribute("hx-headers")),
    body: new URLSearchParams(fields),
  });

export class WritingHelp {
  constructor({ form, number }) {
    Object.assign(this, { form, number, asked: null, chosen: null });
    this.root = form.querySelector("[data-writing]");
    if (!this.root) return;
    this.box = form.querySelector("textarea");
    this.status = this.root.querySelector("[data-writing-status]");
    this.place = this.root.querySelector("[data-written]");
    this.toggle = document.querySelector(`#modes-${number} [data-writing-toggle]`);
    this.toggle?.addEventListener("click", () => this.#open(this.root.hidden));
    this.root.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-kind]");
      if (button) this.#ask(button.dataset.kind);
    });
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#open(false);
      this.toggle?.focus();
    });
  }

  #open(isOpen) {
    this.root.hidden = !isOpen;
    this.toggle?.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.root.querySelector("[data-kind]").focus();
  }

  async #ask(kind) {
    this.#drop();
    this.#say(texts.writing.busy);
    this.began = Date.now();
    try {
      const response = await post(`/desk/c/${this.number}/writing/`, { kind, text: this.box.value });
      const answer = await response.json();
      if (!response.ok) return this.#say(answer.error ?? texts.writing.failed);
      this.asked = { id: answer.id, kind };
      this.renew();
    } catch {
      this.#say(texts.writing.failed);
    }
  }

  /** Fetch the text that was asked for; again a little later as long as it is being written. */
  async renew() {
    const { asked } = this;
    if (!asked || asked.isShown || !this.form.isConnected) return;
    clearTimeout(this.timer);
    let answer = { state: "pending" };
    try {
      const response = await fetch(`/desk/c/${this.number}/writing/${asked.id}/`);
      if (response.ok) answer = await response.json();
    } catch {
      // Asked again below.
    }
    if (this.asked !== asked || asked.isShown) return;
    if (answer.state === "ready") return this.#show(answer);
    if (answer.state !== "pending" || Date.now() - this.began > PATIENCE_MS) {
      this.asked = null;
      return this.#say(asked.kind === "draft" ? texts.writing.noArticle : texts.writing.failed);
    }
    this.timer = setTimeout(() => this.renew(), LOOK_MS);
  }

  /** The agent has sent `body`. */
  answered(body) {
    if (!this.root || !this.asked?.isShown) return;
    if (this.chosen === null) return this.#drop();
    this.#decide(body.trim() === this.chosen.trim() ? "used" : "edited");
    this.#clear();
    this.#open(false);
    this.box.focus();
  }

  #show({ text, sources }) {
    this.asked.isShown = true;
    this.#say(texts.writing.made);
    const links = sources.map(({ title, url }) =>
      element("li", {}, element("a", { href: url, target: "_blank", rel: "noopener" }, icon("file-text"), title)),
    );
    const use = element("button", { type: "button", class: "button primary" }, texts.writing.use);
    use.addEventListener("click", () => this.#use(text));
    const drop = element("button", { type: "button", class: "button" }, texts.writing.drop);
    drop.addEventListener("click", () => {
      this.#drop();
      this.box.focus();
    });
    this.place.replaceChildren(
      element("p", { class: "words" }, text),
      ...(links.length ? [element("ul", { class: "sources", "aria-label": texts.writing.sources }, ...links)] : []),
      element("div", { class: "row" }, use, drop),
    );
    this.place.hidden = false;
  }

  #use(text) {
    write(this.box, text, 0, this.box.value.length);
    this.chosen = text;
    this.place.hidden = true;
    this.#say(texts.writing.used);
  }

  /** What was shown and not taken is dropped. */
  #drop() {
    if (this.asked?.isShown) this.#decide("dropped");
    this.#clear();
  }

  #decide(state) {
    post(`/desk/c/${this.number}/writing/${this.asked.id}/decided/`, { state }).catch(() => {});
  }

  #clear() {
    clearTimeout(this.timer);
    Object.assign(this, { asked: null, chosen: null });
    this.place.hidden = true;
    this.place.replaceChildren();
    this.#say("");
  }

  #say(sentence) {
    this.status.textContent = sentence;
  }
}
