// An emoji picker for a text box, for both faces. Import it when its button is first pressed:
// nobody pays for it before. Its styles are in emoji.css, which it links itself; colours are the
// page's.
//
//   const { EmojiPicker } = await import("../shared/emoji.js");
//   new EmojiPicker({ button, box, place, strings, store }).open();
//
// The button has the URLs of the rest: data-names="{% static 'vendor/emojibase/fr.json' %}" and
// data-looks="{% static 'shared/emoji.css' %}". From then on it opens and closes by itself.

const MOST_RECENT = 16;
const NO_STORE = { load: () => [], save: () => {} };

export class EmojiPicker {
  /**
   * button   opens and closes it
   * box      the input or textarea that receives the emoji at its caret; gets "input" then
   * place    the positioned element above which the picker stands
   * strings  emoji, emoji_search, emoji_recent, emoji_none, emoji_failed
   * store    {load() -> [emoji], save([emoji])}: recently used ones, where they may be stored
   */
  constructor({ button, box, place, strings, store = NO_STORE }) {
    Object.assign(this, { button, box, strings, store });
    this.recent = store.load();
    this.#build(place);
    button.setAttribute("aria-haspopup", "dialog");
    button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    document.addEventListener("pointerdown", ({ target }) => {
      if (this.isOpen && !this.root.contains(target) && !button.contains(target)) this.close(false);
    });
  }

  get isOpen() {
    return !this.root.hidden;
  }

  async open() {
    this.#link();
    this.root.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.search.value = "";
    // On a touch screen the keyboard would cover the emoji.
    if (!matchMedia("(pointer: coarse)").matches) this.search.focus();
    await this.#load();
    this.#draw();
  }

  close(givesBack = true) {
    this.root.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (givesBack) this.box.focus();
  }

  #build(place) {
    this.root = made("div", { className: "emoji", hidden: true });
    this.root.setAttribute("role", "dialog");
    this.root.setAttribute("aria-label", this.strings.emoji);
    this.search = made("input", { type: "search", autocomplete: "off", placeholder: this.strings.emoji_search });
    this.search.setAttribute("aria-label", this.strings.emoji_search);
    this.jumps = made("div", { className: "emoji-groups" });
    this.list = made("div", { className: "emoji-list" });
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", this.strings.emoji);
    this.none = made("p", { className: "emoji-none", hidden: true });
    this.none.setAttribute("role", "status");
    this.root.append(this.search, this.jumps, this.list, this.none);
    place.append(this.root);
    this.search.addEventListener("input", () => this.#draw());
    this.root.addEventListener("keydown", (event) => this.#pressed(event));
    this.list.addEventListener("click", ({ target }) => {
      const picked = target.closest("[role=option]");
      if (picked) this.#pick(picked.textContent);
    });
  }

  #link() {
    if (this.looks) return;
    this.looks = made("link", { rel: "stylesheet", href: this.button.dataset.looks });
    document.head.append(this.looks);
  }

  async #load() {
    if (this.groups) return;
    try {
      const response = await fetch(this.button.dataset.names);
      if (!response.ok) throw new Error(response.status);
      this.groups = await response.json();
    } catch {
      this.groups = null; // The next opening tries again.
    }
  }

  #draw() {
    const words = plain(this.search.value).split(/\s+/).filter(Boolean);
    const { groups, recent, strings } = this;
    const names = new Map((groups ?? []).flatMap(({ emoji }) => emoji.map(([char, name]) => [char, name])));
    const known = recent.filter((char) => names.has(char)).map((char) => [char, names.get(char), ""]);
    const all = [{ name: strings.emoji_recent, emoji: known }, ...(groups ?? [])];
    const shown = words.length
      ? [{ name: strings.emoji, emoji: matching(groups ?? [], words) }]
      : all.filter(({ emoji }) => emoji.length);
    const sections = shown.filter(({ emoji }) => emoji.length).map((group) => section(group));
    this.list.replaceChildren(...sections);
    this.list.scrollTop = 0;
    this.jumps.replaceChildren(...(words.length ? [] : sections.map((one, index) => this.#jump(shown[index], one))));
    this.none.hidden = sections.length > 0;
    this.none.textContent = groups ? strings.emoji_none : strings.emoji_failed;
    this.#reach(this.options[0], false);
  }

  #jump({ name, emoji }, target) {
    const button = made("button", { type: "button", title: name }, emoji[0][0]);
    button.setAttribute("aria-label", name);
    button.addEventListener("click", () => {
      this.list.scrollTop += target.getBoundingClientRect().top - this.list.getBoundingClientRect().top;
      this.#reach(target.querySelector("[role=option]"), false);
    });
    return button;
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  /** One emoji at a time is in the Tab order; arrows move from it. */
  #reach(option, takesFocus = true) {
    this.reached?.setAttribute("tabindex", "-1");
    this.reached = option;
    option?.setAttribute("tabindex", "0");
    if (takesFocus) option?.focus();
  }

  #pressed(event) {
    event.stopPropagation(); // Escape, arrows and Enter are only for the picker.
    const { key, target } = event;
    if (key === "Escape") return this.close();
    if (target === this.search) {
      if (key !== "Enter" && key !== "ArrowDown") return;
      event.preventDefault();
      if (key === "ArrowDown") this.#reach(this.reached);
      else if (this.reached && this.search.value) this.#pick(this.reached.textContent);
      return;
    }
    if (target.getAttribute("role") !== "option") return;
    const next = this.#beside(target, key);
    if (!next) return;
    event.preventDefault();
    if (next === this.search) this.search.focus();
    else this.#reach(next);
  }

  #beside(option, key) {
    const { options } = this;
    const index = options.indexOf(option);
    const isRightToLeft = getComputedStyle(this.list).direction === "rtl";
    const forward = isRightToLeft ? "ArrowLeft" : "ArrowRight";
    const back = isRightToLeft ? "ArrowRight" : "ArrowLeft";
    if (key === forward) return options[index + 1] ?? option;
    if (key === back) return options[index - 1] ?? option;
    if (key === "Home") return options[0];
    if (key === "End") return options.at(-1);
    const { offsetLeft: left, offsetTop: top } = option;
    if (key === "ArrowDown") {
      const below = options.slice(index).filter((one) => one.offsetTop > top);
      const row = below.filter((one) => one.offsetTop === below[0].offsetTop);
      return nearest(row, left) ?? option;
    }
    if (key === "ArrowUp") {
      const above = options.slice(0, index).filter((one) => one.offsetTop < top);
      const row = above.filter((one) => one.offsetTop === above.at(-1).offsetTop);
      return nearest(row, left) ?? this.search;
    }
    return null;
  }

  #pick(char) {
    this.recent = [char, ...this.recent.filter((one) => one !== char)].slice(0, MOST_RECENT);
    this.store.save(this.recent);
    const { box } = this;
    box.setRangeText(char, box.selectionStart, box.selectionEnd, "end");
    this.close();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function section({ name, emoji }) {
  const group = made("div", { className: "emoji-section" });
  const heading = made("div", { className: "emoji-name" }, name);
  heading.setAttribute("aria-hidden", "true"); // The group has this name already.
  const grid = made("div", { className: "emoji-grid" }, ...emoji.map(([char, label]) => option(char, label)));
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", name);
  grid.setAttribute("role", "presentation");
  group.append(heading, grid);
  return group;
}

function option(char, label) {
  const node = made("button", { type: "button", title: label, tabIndex: -1 }, char);
  node.setAttribute("role", "option");
  node.setAttribute("aria-label", label);
  node.setAttribute("aria-selected", "false");
  return node;
}

/** Return the emoji whose name or tags have a word beginning with each of `words`. */
function matching(groups, words) {
  const all = groups.flatMap(({ emoji }) => emoji);
  return all.filter(([, label, tags]) => {
    const own = plain(`${label} ${tags}`).split(/[\s-]+/);
    return words.every((word) => own.some((one) => one.startsWith(word)));
  });
}

/** Fold text, so that "coeur" matches "Cœur". */
const plain = (text) =>
  text.toLowerCase().replaceAll("œ", "oe").normalize("NFD").replace(/\p{M}/gu, "");

function nearest(row, left) {
  const away = (one) => Math.abs(one.offsetLeft - left);
  return row.length ? row.reduce((best, one) => (away(one) < away(best) ? one : best)) : null;
}

function made(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}
