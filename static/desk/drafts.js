// Drafts: stored in this browser at once and on the server a moment later, so that they outlive a
// reload, a lost connection and the device.

import { Store } from "./page.js";

const SAVE_MS = 800;
const RETRY_MS = 10_000;
const local = new Store("draft");
const waiting = new Map(); // What the server does not have yet, by number.
const timers = new Map();

export const drafts = {
  /** Return what is newer here than on the server, if anything is; "" can be newer too. */
  get(number) {
    return waiting.get(number) ?? local.get(number);
  },

  set(number, text) {
    local.set(number, text);
    waiting.set(number, text);
    later(number, text ? SAVE_MS : 0);
  },
};

function later(number, delay) {
  clearTimeout(timers.get(number));
  timers.set(number, setTimeout(() => save(number), delay));
}

async function save(number) {
  const text = waiting.get(number);
  try {
    const response = await fetch(`/desk/c/${number}/draft/`, {
      method: "POST",
      headers: JSON.parse(document.body.getAttribute("hx-headers")),
      body: new URLSearchParams({ body: text }),
    });
    // A conversation that is gone needs no draft on the server; the one here stays.
    if (response.status >= 500) throw new Error(response.status);
    if (waiting.get(number) !== text) return;
    waiting.delete(number);
    if (response.status === 204) local.set(number, "");
  } catch {
    if (waiting.get(number) === text) later(number, RETRY_MS);
  }
}
