// What somebody is looking at, told to all tabs of a browser: each tab with the focus holds a lock
// whose name says what it shows. A tab that is gone, or that stopped, holds none.

import { agent } from "./page.js";

const PREFIX = `causerie.looking.${agent}.`;
let held = "";
let release = () => {};

/** Hold it as long as `shown()`, a list of numbers and words, is before somebody's eyes. Returns what
 *  is to be called when another thing is shown. */
export function watch(shown) {
  const look = () => hold(document.hasFocus() ? PREFIX + shown().join(",") : "");
  for (const name of ["focus", "blur"]) addEventListener(name, look);
  document.addEventListener("visibilitychange", look);
  look();
  return look;
}

function hold(name) {
  if (name === held || !navigator.locks) return;
  release();
  held = name;
  if (name) navigator.locks.request(name, { mode: "shared" }, () => new Promise((resolve) => (release = resolve)));
}

/** Whether it is looked at in any tab; unknown, and so not, where there are no locks (no TLS). */
export async function isLookedAt(what) {
  if (!navigator.locks) return false;
  const locks = await navigator.locks.query();
  return locks.held.some(({ name }) => name.startsWith(PREFIX) && name.slice(PREFIX.length).split(",").includes(what));
}
