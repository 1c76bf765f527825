// What all parts of the desk share: texts, icons, notices, and a store that may be missing.

import { toast } from "../base/toasts.js";

export { get } from "../shared/fragment.js";

const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "{}");
const { agent: known, sprite } = document.getElementById("toasts").dataset;

export const texts = { ...read("bar-texts"), ...read("texts") };
export const agent = known ?? "";
export const DESK = "desk"; // Looked at wherever a new box would be seen.

const SVG = "http://www.w3.org/2000/svg";
const REFRESH_MS = 200; // At most five fetches a second of one thing.

/** Call `work` at once, then at most once in REFRESH_MS; the last call is never lost. */
export function coalesced(work) {
  let timer = null;
  let again = false;
  return function run() {
    if (timer) {
      again = true;
      return;
    }
    timer = setTimeout(() => {
      timer = null;
      if (again) run();
    }, REFRESH_MS);
    again = false;
    work();
  };
}

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  drawing.append(use);
  return drawing;
}

/** Replace a text field's content from `start` to `end` with `text`; it can be undone. */
export function write(box, text, start = box.selectionStart, end = start) {
  box.focus();
  box.setSelectionRange(start, end);
  // Deprecated, but the only way that enters the field's undo history.
  if ((text || start !== end) && document.execCommand(text ? "insertText" : "delete", false, text)) return;
  box.setRangeText(text, start, end, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Show what could not be done, or what the user must know. */
export function notify(sentence) {
  toast({ sentence, isError: true });
}

/** localStorage of this agent, one value for each conversation; does nothing if there is none. */
export class Store {
  constructor(kind) {
    this.prefix = `causerie.${kind}.${agent}.`;
  }

  get(number) {
    try {
      return JSON.parse(localStorage.getItem(this.prefix + number));
    } catch {
      return null;
    }
  }

  set(number, value) {
    try {
      if (value?.length) localStorage.setItem(this.prefix + number, JSON.stringify(value));
      else localStorage.removeItem(this.prefix + number);
    } catch {
      // Full or forbidden: the text lives as long as the page.
    }
  }

  numbers() {
    try {
      return Object.keys(localStorage)
        .filter((key) => key.startsWith(this.prefix))
        .map((key) => Number(key.slice(this.prefix.length)));
    } catch {
      return [];
    }
  }
}
