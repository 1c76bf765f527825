// The list of canned replies at a composer: opened by "/" at the start of a word or by its button,
// searched while typing, chosen with the arrows and Enter. Escape restores what was typed.

import { coalesced, element, icon, texts, write } from "./page.js";

let made = 0;
const languages = new Intl.DisplayNames([document.documentElement.lang], { type: "language" });

export class Picker {
  /**
   * form       the composer; holds the textarea and [data-canned], the button
   * number     of the conversation
   * onChosen(reply)  body, missing and attachments of the reply, filled in by the server
   * onError(sentence)
   */
  constructor({ form, number, onChosen, onError }) {
    Object.assign(this, { form, number, onChosen, onError });
    this.box = form.querySelector("textarea");
    this.button = form.querySelector("[data-canned]");
    this.button.addEventListener("click", () => (this.root ? this.#close() : this.#open("")));
    this.box.addEventListener("input", (event) => this.#typed(event));
    this.search = coalesced(() => this.#search());
  }

  /** A slash that begins a word opens the list; the reply will replace it. */
  #typed({ inputType, data, isComposing }) {
    if (isComposing || inputType !== "insertText" || data !== "/") return;
    const { selectionStart: end, value } = this.box;
    if (end > 1 && !/\s/.test(value[end - 2])) return;
    this.#open("/");
  }

  open() {
    if (!this.root) this.#open("");
  }

  #open(typed) {
    const id = `canned-${(made += 1)}`;
    const end = this.box.selectionStart;
    this.place = [typed ? end - 1 : end, typed ? end : this.box.selectionEnd];
    this.typed = typed;
    this.replies = [];
    this.isSettled = this.isHasty = false;
    this.input = element("input", {
      type: "text",
      role: "combobox",
      "aria-label": texts.cannedSearch,
      "aria-autocomplete": "list",
      "aria-expanded": "true",
      "aria-controls": id,
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      maxlength: "100",
      placeholder: texts.cannedSearch,
    });
    this.list = element("ul", { role: "listbox", id, "aria-label": texts.canned });
    this.none = element("p", { class: "none", role: "status", hidden: "" }, texts.cannedNone);
    const foot = element("div", { class: "foot" }, element("span", { class: "hint" }, texts.cannedHint));
    foot.append(element("a", { href: "/desk/replies/", target: "_blank", rel: "noopener" }, texts.cannedManage));
    const asked = element("div", { class: "asked" }, icon("search"), this.input);
    const results = element("div", { class: "results" }, this.list, this.none);
    this.root = element("div", { class: "picker" }, asked, results, foot);
    this.button.setAttribute("aria-expanded", "true");
    this.input.addEventListener("input", (event) => this.#asked(event));
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.root.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !this.form.contains(relatedTarget)) this.#close({ focus: false });
    });
    this.form.append(this.root);
    this.input.focus();
    this.search();
  }

  #asked({ inputType, data }) {
    // A space after the slash means that it was text: go on in the text, with the slash.
    const isText = this.typed && inputType === "insertText" && data === " " && this.input.value === " ";
    this.isSettled = false;
    this.isHasty = false;
    if (isText) this.#close();
    else this.search();
  }

  #key(event) {
    if (event.isComposing) return;
    const last = this.replies.length - 1;
    const moves = { ArrowDown: this.index + 1, ArrowUp: this.index - 1, PageDown: last, PageUp: 0 };
    if (event.key in moves) {
      event.preventDefault();
      this.#select((moves[event.key] + last + 1) % (last + 1 || 1));
    } else if (event.key === "Enter" || (event.key === "Tab" && last >= 0 && !event.shiftKey)) {
      event.preventDefault();
      if (!this.isSettled) this.isHasty = true; // The results for these words come in a moment.
      else if (this.replies[this.index]) this.#choose(this.replies[this.index]);
      else this.#close();
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.#close();
    } else if (event.key === "Backspace" && !this.input.value) {
      event.preventDefault();
      this.typed = "";
      const [start, end] = this.place;
      this.#close();
      write(this.box, "", start, end);
    }
  }

  async #search() {
    const { root, input } = this;
    if (!root) return;
    const query = input.value;
    const address = `/desk/c/${this.number}/replies/?q=${encodeURIComponent(query)}`;
    let matches;
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(response.status);
      matches = (await response.json()).replies;
      this.none.textContent = texts.cannedNone;
    } catch {
      this.none.textContent = texts.failed;
    }
    if (this.root !== root || input.value !== query) return; // Closed, or a later search runs.
    const hasFailed = !matches;
    matches ??= [];
    this.replies = matches;
    this.isSettled = true;
    this.list.replaceChildren(...matches.map((reply, index) => this.#option(reply, index)));
    this.none.hidden = Boolean(matches.length);
    this.#select(0);
    if (!this.isHasty || hasFailed) return;
    if (matches.length) this.#choose(matches[0]);
    else this.#close();
  }

  #option(reply, index) {
    const extras = element("span", { class: "extras" });
    if (reply.files) extras.append(icon("paperclip"), String(reply.files));
    if (reply.language) extras.append(languages.of(reply.language));
    if (reply.shortcut) extras.append(element("kbd", {}, `/${reply.shortcut}`));
    const name = reply.folder ? `${reply.folder} › ${reply.name}` : reply.name;
    const option = element("li", { role: "option", id: `${this.list.id}-${index}` });
    option.append(element("span", { class: "name" }, name), extras);
    option.append(element("span", { class: "text" }, reply.body.replace(/\s+/g, " ")));
    option.addEventListener("pointerdown", (event) => event.preventDefault());
    option.addEventListener("click", () => this.#choose(reply));
    return option;
  }

  #select(index) {
    this.index = index;
    for (const [at, option] of [...this.list.children].entries()) {
      option.setAttribute("aria-selected", at === index);
      if (at === index) option.scrollIntoView({ block: "nearest" });
    }
    const selected = this.list.children[index];
    if (selected) this.input.setAttribute("aria-activedescendant", selected.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  async #choose({ id }) {
    if (this.isUsing) return;
    this.isUsing = true;
    try {
      const response = await fetch(`/desk/c/${this.number}/replies/${id}/`, {
        method: "POST",
        headers: JSON.parse(document.body.getAttribute("hx-headers")),
      });
      const reply = await response.json();
      if (!response.ok) throw reply.error;
      const [start, end] = this.place;
      this.typed = "";
      this.#close();
      write(this.box, reply.body, start, end);
      this.onChosen(reply);
    } catch (error) {
      this.#close();
      this.onError(error.message && error.code ? error.message : texts.failed);
    } finally {
      this.isUsing = false;
    }
  }

  /** Back to the text; what was typed in the list after a slash is restored. */
  #close({ focus = true } = {}) {
    if (!this.root) return;
    const { root, input } = this;
    this.root = null;
    root.remove();
    this.button.setAttribute("aria-expanded", "false");
    if (!focus) return;
    if (this.typed && input.value) write(this.box, input.value, this.place[1]);
    this.box.focus();
  }
}
