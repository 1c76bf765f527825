// The dialog in which a tag is chosen: opened by the button, by the key "#", or by a "#" that begins
// a reply, searched while typing, chosen with the arrows and Enter. Escape restores what was typed.

import { get, write } from "./page.js";

const dialog = document.getElementById("dialog");
let typedIn = null; // The reply in which the "#" was typed; null if it was the button or the key.
let isLoading = false; // The list was asked for by a "#" and has not come yet.
let isHasty = false; // Enter was pressed meanwhile.

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
const picker = () => dialog?.querySelector("[data-tag-picker]");
const optionsOf = (form) => [...form.querySelectorAll("[role=option]")].filter(({ hidden }) => !hidden);
const selectedIn = (form) => form.querySelector("[role=option][aria-selected=true]");

/** A "#" alone in the reply asks for the tags. Anywhere else it is text: "order #12". */
document.addEventListener("input", ({ target, data, isComposing }) => {
  const form = picker();
  if (form?.contains(target)) return filter(form, target.value);
  if (isComposing || data !== "#" || target.value !== "#" || !target.matches?.(".composer textarea")) return;
  const { tags } = target.closest(".dialogue").dataset;
  if (!tags) return;
  typedIn = target;
  isLoading = true;
  isHasty = false;
  get(tags, "#dialog-body", "innerHTML");
});

function filter(form, text) {
  const words = fold(text).split(/\s+/).filter(Boolean);
  for (const option of form.querySelectorAll("[role=option]")) {
    const own = fold(option.dataset.words);
    option.hidden = !words.every((word) => own.includes(word));
  }
  for (const group of form.querySelectorAll("[role=group]")) {
    group.hidden = !group.querySelector("[role=option]:not([hidden])");
  }
  form.querySelector("[data-none]").hidden = optionsOf(form).length > 0;
  select(form, 0);
}

function select(form, index) {
  const options = optionsOf(form);
  const chosen = options[(index + options.length) % options.length];
  for (const option of form.querySelectorAll("[role=option]")) {
    option.setAttribute("aria-selected", option === chosen);
  }
  const box = form.querySelector("[role=combobox]");
  if (chosen) box.setAttribute("aria-activedescendant", chosen.id);
  else box.removeAttribute("aria-activedescendant");
  chosen?.scrollIntoView({ block: "nearest" });
}

function choose(form, option) {
  if (!option || form.elements.tag.value) return; // A second click while the first is under way.
  form.elements.tag.value = option.dataset.tag;
  form.requestSubmit();
}

document.addEventListener("keydown", (event) => {
  const form = picker();
  if (!form?.contains(event.target) || event.isComposing) return;
  const at = optionsOf(form).indexOf(selectedIn(form));
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1 };
  if (event.key in moves) select(form, moves[event.key]);
  else if (event.key === "Enter") choose(form, selectedIn(form));
  else return;
  event.preventDefault();
});

document.addEventListener("click", ({ target }) => {
  const option = target.closest?.("[data-tag-picker] [role=option]");
  if (option) choose(option.closest("form"), option);
});

/** Enter before the list has come means its first tag. It must not send "#ref" to the visitor. */
document.addEventListener(
  "keydown",
  (event) => {
    if (!isLoading || event.target !== typedIn || event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    isHasty = true;
  },
  true,
);

document.addEventListener("htmx:afterSwap", ({ target }) => {
  const form = target.id === "dialog-body" ? picker() : null;
  if (!form) return;
  const isTyped = isLoading && typedIn?.value.startsWith("#");
  isLoading = false;
  if (!isTyped) return select(form, 0);
  // What was typed before the list came belongs to its search.
  const search = form.querySelector("[role=combobox]");
  search.value = typedIn.value.slice(1);
  typedIn.value = "#";
  filter(form, search.value);
  if (isHasty) choose(form, selectedIn(form));
});

for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, () => {
    if (isLoading) typedIn = null;
    isLoading = false;
  });
}

/** Closed without a tag: the "#" was text after all, with what was typed behind it. */
dialog?.addEventListener("close", () => {
  const box = typedIn;
  typedIn = null;
  if (!box?.isConnected) return;
  const form = picker();
  if (form?.elements.tag.value) box.value = "";
  else if (box.value === "#") write(box, form?.querySelector("[role=combobox]").value ?? "", 1);
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
});

document.addEventListener("desk:tagged", () => picker() && dialog.close());

// Refused, because the tag was archived meanwhile: the list may be used again.
document.addEventListener("desk:refused", () => {
  if (picker()) picker().elements.tag.value = "";
});
