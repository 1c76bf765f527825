// What the agent is looking at, shared among the tabs of a browser: each tab with the focus holds a
// lock whose name says what it shows. A tab that is closed or stopped holds none.

import { agent } from "./page.js";

const PREFIX = `causerie.looking.${agent}.`;
let held = "";
let release = () => {};

/** Hold the lock as long as `shown()`, a list of numbers and words, is in view. Return a function
to *  call when something else is shown. */
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

/** Whether any tab with the focus shows it; false without locks (no TLS). */
export async function isLookedAt(what) {
  if (!navigator.locks) return false;
  const locks = await navigator.locks.query();
  return locks.held.some(({ name }) => name.startsWith(PREFIX) && name.slice(PREFIX.length).split(",").includes(what));
}
