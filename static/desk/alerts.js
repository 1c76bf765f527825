// Sound and desktop notifications for visitors' messages: only if the agent has switched them on,
// and once however many tabs are open. All tabs hear of a message; under a shared lock the first
// one to claim it announces it, unless the agent is looking at it in one of them.

import { cut } from "../shared/text.js";
import { isLookedAt } from "./looking.js";
import { Store, agent, notify, texts } from "./page.js";

const store = new Store("alerts");
const LOOKING_FIRST_MS = 250; // The tab that the agent looks at claims it before the others.
const KEPT = 60;
const BODY = 140;
const NOTES = [
  [740, 0],
  [990, 0.11],
];
let audio;

const isOn = (kind) => Boolean(store.get(kind)?.length);

/** Announce something once. `id` names it, equal on every tab; `where` it can be seen; `isSeen`:
the *  agent is looking at it here. */
export function alertOnce({ id, where, title, body = "", isSeen, open }) {
  if (!isOn("sound") && !isOn("desktop")) return;
  if (isSeen) withLock(() => claim(id));
  else setTimeout(() => withLock(() => sayOnce({ id, where, title, body, open })), LOOKING_FIRST_MS * (mayPlay() ? 1 : 2));
}

/** The tab that the agent looks at may hear of it last; its own lock shows that it is there. */
async function sayOnce({ where, ...alert }) {
  const isSeenElsewhere = await isLookedAt(where);
  if (claim(alert.id) && !isSeenElsewhere) say(alert);
}

/** Without locks (no TLS), two tabs may both announce it: better than neither. */
function withLock(work) {
  if (!navigator.locks) return work();
  return navigator.locks.request(`causerie.alerts.${agent}`, async () => work());
}

function claim(id) {
  const notified = store.get("told") ?? [];
  if (notified.includes(id)) return false;
  store.set("told", [...notified, id].slice(-KEPT));
  return true;
}

function say({ id, title, body, open }) {
  if (isOn("sound")) play();
  if (!isOn("desktop") || globalThis.Notification?.permission !== "granted") return;
  try {
    const shown = new Notification(title, { body: cut(body, BODY), tag: `causerie.${id.split(".")[0]}` });
    shown.addEventListener("click", () => {
      window.focus();
      open();
      shown.close();
    });
  } catch {
    // Phones show notifications of service workers only; the sound and the title do the same.
  }
}

/** Browsers let a page make sounds only after some interaction with it: such tabs go first. */
function mayPlay() {
  return navigator.userActivation?.hasBeenActive ?? true;
}

function play() {
  if (!mayPlay()) return;
  audio ??= new AudioContext();
  audio.resume();
  for (const [pitch, after] of NOTES) {
    const begin = audio.currentTime + after;
    const tone = new OscillatorNode(audio, { frequency: pitch });
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(0.12, begin);
    volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.28);
    tone.connect(volume).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + 0.3);
  }
}

// --- The switches in the account's menu --------------------------------------------------------

for (const box of document.querySelectorAll("[data-alert]")) {
  box.checked = isOn(box.dataset.alert) && (box.dataset.alert === "sound" || isAllowed());
  box.addEventListener("change", () => switched(box));
}

async function switched(box) {
  const kind = box.dataset.alert;
  if (box.checked && kind === "desktop" && !(await ask())) {
    box.checked = false;
    notify(texts.alertsRefused);
  }
  store.set(kind, box.checked ? [true] : []);
  if (box.checked && kind === "sound") play(); // A sample; and the click allows sounds from now on.
}

function isAllowed() {
  return globalThis.Notification?.permission === "granted";
}

async function ask() {
  if (!globalThis.Notification) return false;
  return (await Notification.requestPermission()) === "granted";
}
