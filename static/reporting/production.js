// The production report, live: the socket says that something changed, the figures come from the
// ordinary page, at most once a second; and once a minute anyway, where sockets are blocked.

import "../base/bar.js";
import { tick } from "../base/clock.js";
import { connect } from "../shared/socket.js";

const REFRESH_MS = 1000;
const ANYWAY_MS = 60_000;
const live = document.getElementById("live");
let timer = null;
let isOwed = false;

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

document.addEventListener("htmx:afterSwap", tick);
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
