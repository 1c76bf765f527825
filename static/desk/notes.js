// Notes for the team below the messages: their drafts, and the list of colleagues behind "@".

import { Store, element, notify, write } from "./page.js";

const begun = new Store("note");
const names = new Map(); // Names that notes can mention, by number, once loaded.
const CALL = /(?:^|\s)@([^\s@]*(?: [^\s@]*)?)$/u;
const plain = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
let list = null; // The open list: {root, box, start, matches, index}

/** Restore the drafts of the note fields that have just been drawn. */
export function drawNotes() {
  for (const box of document.querySelectorAll("[data-note]:not([data-ready])")) {
    box.dataset.ready = "";
    box.value ||= begun.get(box.dataset.note) ?? "";
  }
}

const boxOf = (number) => document.querySelector(`[data-note="${number}"]`);

/** Return the draft of a note. */
export function noteOf(number) {
  return (boxOf(number)?.value ?? begun.get(number) ?? "").trim();
}

export function forgetNote(number) {
  begun.set(number, "");
  const box = boxOf(number);
  if (box) box.value = "";
}

/** Load the names once; after a failure, again with the next letter. */
function namesOf(number) {
  if (!names.has(number)) {
    const asked = fetch(`/desk/c/${number}/readers/`, { headers: { Accept: "application/json" } })
      .then((response) => (response.ok ? response.json() : Promise.reject(response.status)))
      .then((answer) => answer.names);
    names.set(number, asked.catch(() => names.delete(number) && []));
  }
  return names.get(number);
}

const callIn = (box) => box.value.slice(0, box.selectionStart).match(CALL);

async function offer(box) {
  if (!callIn(box)) return shut();
  const all = await namesOf(box.dataset.note);
  const call = callIn(box); // More may have been typed meanwhile.
  if (!call) return shut();
  const asked = plain(call[1]);
  const matches = all.filter((name) => plain(name).startsWith(asked)).slice(0, 6);
  if (!matches.length || matches.includes(call[1])) return shut();
  show(box, box.selectionStart - call[1].length - 1, matches);
}

function show(box, start, matches) {
  shut();
  const id = `called-${box.dataset.note}`;
  const root = element("ul", { class: "called", role: "listbox", id, "aria-label": box.dataset.label });
  matches.forEach((name, index) => {
    const option = element("li", { role: "option", id: `${id}-${index}` }, name);
    option.addEventListener("pointerdown", (event) => event.preventDefault());
    option.addEventListener("click", () => choose(index));
    root.append(option);
  });
  box.after(root);
  box.setAttribute("aria-controls", id);
  list = { root, box, start, matches, index: 0 };
  select(0);
}

function select(index) {
  list.index = (index + list.matches.length) % list.matches.length;
  [...list.root.children].forEach((option, at) => option.setAttribute("aria-selected", at === list.index));
  list.box.setAttribute("aria-activedescendant", list.root.children[list.index].id);
}

function choose(index) {
  const { box, start, matches } = list;
  shut();
  write(box, `@${matches[index]} `, start, box.selectionStart);
}

function shut() {
  list?.root.remove();
  list?.box.removeAttribute("aria-activedescendant");
  list?.box.removeAttribute("aria-controls");
  list = null;
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches?.("[data-note]")) return;
  begun.set(target.dataset.note, target.value);
  offer(target);
});

/** Enter submits the note, Ctrl+Enter too; Shift+Enter breaks the line, as in a reply. */
function leave(event) {
  const { key, shiftKey, altKey, target } = event;
  if (key !== "Enter" || shiftKey || altKey || !target.matches?.("[data-note]")) return;
  event.preventDefault();
  if (target.value.trim()) target.form.requestSubmit();
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (!list || event.target !== list.box) return leave(event);
  const moves = { ArrowDown: list.index + 1, ArrowUp: list.index - 1 };
  if (event.key in moves) select(moves[event.key]);
  else if (event.key === "Enter" || event.key === "Tab") choose(list.index);
  else if (event.key === "Escape") shut();
  else return;
  event.preventDefault();
  event.stopPropagation();
});

document.addEventListener("focusout", ({ target }) => target === list?.box && shut());

document.addEventListener("desk:noted", ({ detail: { number } }) => forgetNote(number));

// A rejected text stays in its field.
document.addEventListener("desk:unnoted", ({ detail: { message } }) => notify(message));
