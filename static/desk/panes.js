// One, two or four conversations side by side (R186), each with its own log, composer and draft.
// One of them is in focus: the URL, the toolbar and the marked box belong to it.

import { Dialogue } from "./dialogue.js";
import { coalesced, element, get } from "./page.js";

let made = 0;

class Pane {
  constructor(root) {
    this.root = root;
    this.number = root.querySelector(".dialogue")?.dataset.number ?? null; // what it is to show
    this.dialogue = null;
    this.wasMine = null; // The number that was shown here while on the agent's own desk.
    this.refresh = coalesced(() => this.number && this.fetch());
  }

  get isFocused() {
    return this.root.classList.contains("focused");
  }

  fetch() {
    const address = `/desk/c/${this.number}/${this.isFocused ? "" : "?beside=1"}`;
    get(address, `#${this.root.id}`, "morph:innerHTML");
  }

  stop() {
    this.dialogue?.stop();
    this.dialogue = null;
  }
}

export class Panes {
  /** `dialogue`: options of each Dialogue; `onChange()`: another one is shown or in focus. */
  constructor(stage, { dialogue, onChange }) {
    Object.assign(this, { stage, options: dialogue, onChange });
    this.root = document.getElementById("panes");
    this.list = [new Pane(this.root.firstElementChild)];
    this.focused = this.list[0];
    this.root.addEventListener("focusin", ({ target }) => this.#enter(target));
    this.root.addEventListener("pointerdown", ({ target }) => this.#enter(target));
  }

  /** The conversation in focus. */
  get number() {
    return this.focused.number;
  }

  get dialogues() {
    return this.list.map(({ dialogue }) => dialogue).filter(Boolean);
  }

  find(number) {
    return this.list.find((pane) => pane.number === String(number));
  }

  setCount(count) {
    while (this.list.length < count) {
      const root = element("div", { class: "pane", id: `pane-${(made += 1)}` });
      root.append(nothing());
      this.root.append(root);
      this.list.push(new Pane(root));
    }
    while (this.list.length > count) {
      const index = this.list.findLastIndex((pane) => pane !== this.focused);
      const [gone] = this.list.splice(index, 1);
      gone.stop();
      gone.root.remove();
    }
    this.stage.dataset.panes = count;
  }

  /** Show a conversation in the pane in focus; if it is shown already, move the focus to it. */
  open(number, { push = true } = {}) {
    const shown = this.find(number);
    if (shown && shown !== this.focused) this.#focus(shown);
    this.stage.classList.remove("with-toolbar");
    if (this.focused.number !== String(number)) lockToolbar();
    this.focused.number = String(number);
    if (push) history.pushState({}, "", `/desk/c/${number}/`);
    this.onChange();
    this.focused.fetch();
    if (shown) shown.dialogue?.box?.focus();
  }

  /** Fill the empty panes, without disturbing any text being written. */
  fill(numbers, { push = true } = {}) {
    const others = numbers.filter((number) => !this.find(number));
    for (const pane of this.list) {
      if (pane.number || !others.length) continue;
      if (pane === this.focused) {
        this.open(others.shift(), { push });
      } else {
        pane.number = others.shift();
        pane.fetch();
      }
    }
    this.onChange();
  }

  /** A conversation has left its pane: show `instead` there, if given. */
  replace(number, instead) {
    const pane = this.find(number);
    if (!pane) return;
    if (!instead) this.empty(pane);
    else if (pane === this.focused) this.open(instead);
    else {
      pane.number = instead;
      pane.fetch();
      this.onChange();
    }
  }

  empty(pane = this.focused, { push = true } = {}) {
    pane.number = null;
    pane.stop();
    pane.root.replaceChildren(nothing());
    if (pane === this.focused) {
      const other = this.list.find(({ number }) => number);
      if (other) this.#focus(other);
      else this.#rest(push);
    }
    this.onChange();
  }

  /** htmx has drawn into a target; return whether it was one of the panes. */
  drawn(target) {
    const pane = this.list.find(({ root }) => root === target);
    if (!pane) return false;
    this.draw(pane);
    return true;
  }

  draw(pane = this.focused) {
    const section = pane.root.querySelector(".dialogue");
    const number = section?.dataset.number ?? null;
    if (number && number !== pane.number) {
      // The response to an earlier click, or a conversation that has just left the desk.
      if (pane.number) pane.refresh();
      else this.empty(pane, { push: false });
      return;
    }
    if (String(pane.dialogue?.number ?? "") !== (number ?? "") || !pane.dialogue?.isDrawn) {
      pane.stop();
      const isQuiet = pane !== this.focused;
      pane.dialogue = section ? new Dialogue(section, { ...this.options, isQuiet }) : null;
    }
    if (pane.dialogue?.isMine) pane.wasMine = number;
    pane.dialogue?.refresh();
    pane.dialogue?.markRead();
    this.onChange();
  }

  #enter(target) {
    const pane = this.list.find(({ root }) => root.contains(target));
    if (!pane?.number || pane === this.focused) return;
    this.#focus(pane);
    history.replaceState({}, "", `/desk/c/${pane.number}/`);
    this.onChange();
  }

  #focus(pane) {
    this.focused.root.classList.remove("focused");
    this.focused = pane;
    pane.root.classList.add("focused");
    lockToolbar();
    get(`/desk/c/${pane.number}/toolbar/`, "#toolbar", "morph");
  }

  #rest(push) {
    document.getElementById("toolbar").hidden = true;
    if (push) history.pushState({}, "", "/desk/");
  }
}

/** Lock the toolbar until the one of the conversation in focus is here: its actions would apply to
 *  another conversation. The fragment that comes unlocks it. */
function lockToolbar() {
  document.getElementById("toolbar").inert = true;
}

function nothing() {
  return document.getElementById("nothing").content.cloneNode(true);
}
