// The keys, the palette and the list of shortcuts, combined for the desk.

import { keys, listenToKeys } from "./keys.js";
import { Palette } from "./palette.js";
import "./tags.js";
import { writeIn } from "./writing.js";

const dialog = document.getElementById("dialog");

export function comfort({ panes, open, numbersOnDesk, numbersToAnswer }) {
  const dialogue = () => panes?.focused.dialogue;
  const palette = new Palette({ open, suggestions: () => suggestionsOf(dialogue()) });

  function step(by) {
    const numbers = numbersOnDesk();
    if (!numbers.length || !panes) return;
    const at = numbers.indexOf(panes.number);
    open(numbers[at < 0 ? 0 : (at + by + numbers.length) % numbers.length]);
  }

  function nextThatWaits() {
    const number = numbersToAnswer().find((one) => one !== panes?.number);
    if (number) open(number);
  }

  function openPicker() {
    if (!dialogue()?.picker) return;
    writeIn(panes.number, "reply");
    dialogue().picker.open();
  }

  listenToKeys({
    onPalette: () => palette.toggle(),
    own: {
      j: () => step(1),
      k: () => step(-1),
      n: nextThatWaits,
      r: () => dialogue()?.box && writeIn(panes.number, "reply"),
      m: () => dialogue()?.noteBox && writeIn(panes.number, "note"),
      "/": openPicker,
      "?": showShortcuts,
    },
  });

  document.addEventListener("desk:tagged", ({ detail }) => panes?.find(detail.number)?.refresh());
  document.addEventListener("click", ({ target }) => target.closest("[data-shortcuts]") && showShortcuts());
}

function suggestionsOf(dialogue) {
  const { suggestions } = dialogue ?? {};
  return (suggestions?.list ?? []).map((one) => ({ ...one, choose: () => suggestions.choose(one.index) }));
}

function showShortcuts() {
  for (const menu of document.querySelectorAll("[data-menu][open]")) menu.open = false;
  document.getElementById("dialog-body").replaceChildren(document.getElementById("shortcuts").content.cloneNode(true));
  const box = dialog.querySelector("[data-letters]");
  box.checked = keys.areOn;
  box.addEventListener("change", () => (keys.areOn = box.checked));
  if (!dialog.open) dialog.showModal();
}
