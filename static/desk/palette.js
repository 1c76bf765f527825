// The command palette: everything that has a button or a link on the page, by a few letters.

import { cut } from "../shared/text.js";
import { element, texts } from "./page.js";

const MOST = 12;
const SOURCES = [
  [".box", "conversation"],
  [".pane.focused .held button:not(:disabled), #toolbar .verbs button, #toolbar .add-tag", "action"],
  ["#toasts .act", "action"],
  [".pane.focused .composer [data-canned], .pane.focused .composer [data-attach]", "action"],
  ["#statuses button", "availability"],
  [".boxes .tools button", "view"],
  [".tabs a, .menu .sheet a.button, .menu .sheet [data-shortcuts], .menu .sheet form[action*=logout] button", "go"],
];

const fold = (text) =>
  text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/\s+/g, " ")
    .trim();

export class Palette {
  /** `open(number)` shows a conversation; `suggestions()` are those at the composer in focus. */
  constructor({ open, suggestions }) {
    Object.assign(this, { openNumber: open, suggestions });
    this.root = document.getElementById("palette");
    this.input = this.root.querySelector("input");
    this.list = this.root.querySelector("[role=listbox]");
    this.none = this.root.querySelector("[role=status]");
    this.input.addEventListener("input", () => this.#draw());
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.root.addEventListener("click", ({ target }) => target === this.root && this.root.close());
  }

  toggle() {
    if (this.root.open) {
      this.root.close();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    this.items = this.#collect();
    this.input.value = "";
    this.root.showModal();
    this.#draw();
  }

  #collect() {
    const entries = this.suggestions().map(({ title, body, choose }) => ({
      label: `${texts.suggestProvider}: ${title || cut(body, 80)}`,
      kind: "action",
      run: choose,
    }));
    for (const [selector, kind] of SOURCES) {
      for (const node of document.querySelectorAll(selector)) {
        if (node.closest("[inert]") || node.getAttribute("aria-current") === "page") continue;
        if (kind !== "go" && !node.closest("[data-menu]") && !node.checkVisibility()) continue;
        entries.push({ ...nameOf(node, kind), kind, run: () => node.click() });
      }
    }
    return entries;
  }

  #draw() {
    const asked = fold(this.input.value);
    const words = asked.split(" ");
    const matches = this.items.filter(({ label, kind }) => {
      const text = fold(`${label} ${texts.palette[kind]}`);
      return words.every((word) => text.includes(word));
    });
    const starts = ({ label }) => fold(label).startsWith(asked);
    if (asked) matches.sort((one, other) => starts(other) - starts(one));
    this.matches = [...numbered(asked, this.openNumber), ...matches].slice(0, MOST).concat(this.#search(asked));
    const options = this.matches.map(({ label, kind, key, run: act }, index) => {
      const extras = element("span", { class: "extras" }, texts.palette[kind]);
      if (key) extras.append(element("kbd", {}, key));
      const option = element("li", { role: "option", id: `palette-${index}` });
      option.append(element("span", { class: "name" }, label), extras);
      option.addEventListener("click", () => this.#run(act));
      return option;
    });
    this.list.replaceChildren(...options);
    this.none.hidden = Boolean(options.length);
    this.#select(0);
  }

  /** What is not on this page may be found by the search. */
  #search(asked) {
    if (asked.length < 3) return [];
    const words = this.input.value.trim();
    const address = `/desk/find/?${new URLSearchParams({ q: words })}`;
    return [{ label: texts.paletteFind.replace("{words}", words), kind: "go", run: () => location.assign(address) }];
  }

  #key(event) {
    const last = this.matches.length - 1;
    const moves = { ArrowDown: this.index + 1, ArrowUp: this.index - 1 };
    if (event.isComposing) return;
    if (event.key in moves) {
      event.preventDefault();
      this.#select((moves[event.key] + last + 1) % (last + 1 || 1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.matches[this.index]) this.#run(this.matches[this.index].run);
    }
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

  #run(act) {
    this.root.close();
    act();
  }
}

function numbered(asked, open) {
  const number = asked.match(/^#?(\d{1,15})$/)?.[1];
  return number ? [{ label: `#${number}`, kind: "conversation", run: () => open(number) }] : [];
}

function nameOf(node, kind) {
  const key = node.getAttribute("aria-keyshortcuts")?.toUpperCase();
  if (kind === "conversation") {
    const waits = node.classList.contains("waits") ? ` · ${node.querySelector(".waiting").textContent.trim()}` : "";
    return { label: `#${node.dataset.number} ${node.querySelector(".name").textContent}${waits}` };
  }
  const number = document.getElementById("toolbar")?.dataset.number;
  const words = [...node.childNodes].filter(({ nodeName }) => nodeName !== "KBD").map(({ textContent }) => textContent);
  const text = (node.getAttribute("aria-label") || words.join("")).replace(/\s+/g, " ").trim();
  if (kind === "availability") return { label: `${node.querySelector(".channel").textContent.trim()} ${node.title}` };
  return { label: kind === "action" && number ? `${text} #${number}` : text, key };
}
