// The keyboard. The key of each button is on the button itself (`aria-keyshortcuts`), so that the
// list and the palette always agree with it. Letters are keys only outside text fields, and can be
// switched off (WCAG 2.1.4).

import { Store } from "./page.js";

const store = new Store("comfort");
const isMac = /Mac|iP(hone|ad)/.test(navigator.platform);
const WRITES = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

export const keys = {
  get areOn() {
    return !store.get("letters-off")?.length;
  },
  set areOn(isOn) {
    store.set("letters-off", isOn ? [] : [true]);
    showOnButtons();
  },
};

/** Show the hints on the buttons only while the keys work. */
function showOnButtons() {
  document.documentElement.classList.toggle("letters-off", !keys.areOn);
}

showOnButtons();

/**
 * own          {key: act} for what has no button
 * onPalette()  Ctrl+K, or Cmd+K where Ctrl+K belongs to text fields
 */
export function listenToKeys({ own, onPalette }) {
  document.addEventListener("keydown", (event) => {
    const { ctrlKey, metaKey, altKey, shiftKey, target } = event;
    if (event.defaultPrevented || event.isComposing) return;
    const isCommand = isMac ? metaKey && !ctrlKey : ctrlKey && !metaKey;
    if (isCommand && !altKey && !shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      onPalette();
      return;
    }
    if (event.key === "Escape" && target.matches?.(".composer textarea, .noting textarea")) {
      // Leave the text: from here letters are keys.
      target.closest(".dialogue").querySelector(".log").focus();
      return;
    }
    // Where a layout has "#" only with AltGr or Option, those are part of the character.
    const isCombined = (ctrlKey || metaKey || altKey) && event.key !== "#";
    const isTaken = isCombined || document.querySelector("dialog[open]");
    if (!keys.areOn || isTaken || target.closest?.(WRITES)) return;
    const act = own[keyOf(event)] ?? press(keyOf(event));
    if (!act) return;
    event.preventDefault();
    act();
  });
}

/** The letter, whatever the layout; a digit even if it needs Shift, as on French keyboards. */
function keyOf({ key, code }) {
  if (key === "#") return key;
  return /^Digit\d$/.test(code) && !/^[a-z?/]$/i.test(key) ? code.slice(-1) : key.toLowerCase();
}

function press(key) {
  if (!/^[a-z0-9#]$/.test(key)) return null;
  const button = document.querySelector(`[aria-keyshortcuts="${key}"]:not(:disabled)`);
  if (!button || button.closest("[inert], [hidden]")) return null;
  // An action that cannot be undone only gets the focus: Enter performs it.
  return () => (button.hasAttribute("data-key-points") ? button.focus() : button.click());
}
