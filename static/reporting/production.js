// The production report, live: the socket says that something changed, the figures come from the
// ordinary page, at most once a second; and once a minute anyway, where sockets are blocked.

import "../base/bar.js";
import { tick } from "../base/clock.js";
import { connect } from "../shared/socket.js";

const REFRESH_MS = 1000;
const ANYWAY_MS = 60_000;
const AGAIN_MS = 5000; // How long somebody may be free beside a waiting conversation.
const live = document.getElementById("live");
let timer = null;
let isOwed = false;
let again = null;

// What somebody reads stays open, and is asked for anew where it stands.
window.Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) =>
  !(old instanceof Element && old.matches("details[open][id]"));

function drawn() {
  tick();
  document.querySelectorAll("details.asks-why[open] .answer").forEach((answer) => {
    window.htmx.trigger(answer, "again");
  });
  clearTimeout(again);
  if ("lookAgain" in document.getElementById("board").dataset) again = setTimeout(refresh, AGAIN_MS);
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
  window.htmx.ajax("GET", location.pathname, { target: "#board", swap: "morph", source: "#board" });
}

function show(isLive) {
  live.classList.toggle("green", isLive);
  live.querySelector(".dot").classList.toggle("on", isLive);
  live.lastElementChild.textContent = isLive ? live.dataset.live : live.dataset.cut;
}

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
  onDown: () => show(false),
});
