// Calls on the staff's pages: a panel in the corner of whatever page is open. What a call needs is
// loaded when the first one rings, begins, or goes on after a reload.

import { alertOnce } from "./alerts.js";
import { DESK, agent, element, notify, texts } from "./page.js";

const KEY = `causerie.call.${agent}`;
const FRAMES = { call: "hear", signal: "signal", call_over: "dropped" };

// Of this tab, so that it survives a reload; the browser may forbid it.
const store = {
  load() {
    try {
      return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      return null;
    }
  },
  save(value) {
    try {
      if (value) sessionStorage.setItem(KEY, JSON.stringify(value));
      else sessionStorage.removeItem(KEY);
    } catch {
      // Without it a reload ends the call.
    }
  },
};

async function ask(number, path, data) {
  const response = await fetch(`/desk/c/${number}/calls/${path}`, {
    method: "POST",
    headers: JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"),
    body: new URLSearchParams(data),
  });
  return { ok: response.ok, data: await response.json() };
}

/** Where the bar and the head of the dialogue end: on a phone the panel is below them. */
function headsEnd() {
  const heads = [...document.querySelectorAll("body > header, .dialogue-head")];
  return Math.max(0, ...heads.map((head) => head.getBoundingClientRect().bottom));
}

/** `open(number)`: show that conversation. Return {hear(frame): whether it was about a call,
 *  opened(), down()}: what to tell of the socket. */
export function calling({ send, open }) {
  let loading = null;

  const load = () =>
    (loading ??= import("../calls/calls.js").then(({ Calls }) => {
      const style = new URL("../calls/calls.css", import.meta.url).href;
      document.head.append(element("link", { rel: "stylesheet", href: style }));
      const place = element("section", { class: "call call-dock", id: "call", "aria-label": texts.calls.region, hidden: "" });
      document.body.append(place);
      return new Calls({
        side: "agent",
        place,
        texts: texts.calls,
        sprite: document.getElementById("toasts").dataset.sprite,
        ask,
        send,
        store,
        lock: agent,
        mayRing: () => true,
        onRing: ({ id }, name, number) =>
          alertOnce({
            id: `${number}.call.${id}`,
            where: DESK,
            title: texts.calls.rings.replace("{name}", name),
            isSeen: document.hasFocus(),
            open: () => open(number),
          }),
        onQuiet: () => {},
        onChange: () => place.style.setProperty("--head", `${headsEnd()}px`),
      });
    }));

  const tell = (act) => load().then(act, () => notify(texts.calls.unreachable));

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-call]");
    if (!button) return;
    const { call, callOf, name, elsewhere } = button.dataset;
    tell((calls) => calls.call(Number(callOf), name, { withVideo: call === "video", isElsewhere: Boolean(elsewhere) }));
  });

  if (store.load()) load();

  return {
    hear(frame) {
      const name = FRAMES[frame.type];
      if (name) tell((calls) => calls[name](frame));
      return Boolean(name);
    },
    opened: () => loading?.then((calls) => calls.opened()),
    down: () => loading?.then((calls) => calls.down()),
  };
}
