// The production report, live: the socket says that something changed, the figures come from the
// ordinary page, and once a minute anyway, where sockets are blocked.

import "../base/bar.js";
import "./popovers.js";
import { tick } from "../base/clock.js";
import { toast } from "../base/toasts.js";
import { get } from "../shared/fragment.js";
import { connect } from "../shared/socket.js";

const REFRESH_MS = 700; // What comes directly after a fetch is on the screen within a second too.
const ANYWAY_MS = 60_000;
const AGAIN_MS = 5000; // How long somebody may be free beside a waiting conversation.
const live = document.getElementById("live");
let timer = null;
let isOwed = false;
let again = null;
let seen = "";
const board = () => document.getElementById("board");

// What somebody reads stays open, and is asked for anew where it stands.
window.Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) =>
  !(old instanceof Element && old.matches("details[open][id]"));

function drawn() {
  tick();
  document.querySelectorAll("details.asks-why[open] .answer").forEach((answer) => {
    window.htmx.trigger(answer, "again");
  });
  clearTimeout(again);
  if ("lookAgain" in board().dataset) again = setTimeout(refresh, AGAIN_MS);
}

function refresh() {
  if (timer) {
    isOwed = true;
    return;
  }
  isOwed = false;
  timer = setTimeout(() => {
    timer = null;
    if (isOwed) refresh();
  }, REFRESH_MS);
  // What is here already is not sent again.
  const headers = { "X-Seen": seen };
  const address = location.pathname + location.search;
  get(address, "#board", "morph", headers);
}

function show(isLive) {
  live.classList.toggle("green", isLive);
  live.querySelector(".dot").classList.toggle("on", isLive);
  live.lastElementChild.textContent = isLive ? live.dataset.live : live.dataset.cut;
}

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  seen = detail.xhr.getResponseHeader("X-Seen") ?? seen;
});
document.addEventListener("desk:moved", ({ target }) => {
  // What stood open told of the state before, and would be kept as it is.
  for (let open = target.closest("details"); open; open = open.parentElement.closest("details")) {
    open.open = false;
  }
  refresh();
});
document.addEventListener("desk:notice", ({ detail }) => toast(detail));
document.addEventListener("desk:refused", ({ detail }) => {
  toast({ sentence: detail.message, isError: true });
  refresh();
});
document.getElementById("filters").addEventListener("change", ({ target }) => {
  if (target.tagName === "SELECT") target.form.requestSubmit();
});
document.getElementById("filters").addEventListener("submit", ({ target }) => {
  for (const field of target.elements) if (field.name && !field.value) field.disabled = true;
});
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id === "board") drawn();
  else tick();
});
setInterval(() => document.visibilityState === "visible" && refresh(), ANYWAY_MS);
connect({
  url: async () => `${location.origin.replace(/^http/, "ws")}/ws/board/`,
  onFrame(frame) {
    if (frame.type === "changed") refresh();
    if (frame.type === "logout") location.assign("/login/");
  },
  onOpen() {
    show(true);
    refresh();
  },
  onDown: (isRestart) => isRestart || show(false),
});
