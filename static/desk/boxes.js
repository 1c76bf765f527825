// The state boxes as the page has them: which conversations are on the desk, and who waits.

import { tick } from "../base/clock.js";
import { texts } from "./page.js";

const plainTitle = document.title;

export function boxOf(number) {
  return document.getElementById(`box-${number}`);
}

export function numbersOnDesk() {
  return Array.from(document.querySelectorAll(".box:not(.assigned)"), (box) => box.dataset.number);
}

/** The same, those first who wait for an answer. */
export function numbersToAnswer() {
  const waits = (number) => boxOf(number).classList.contains("waits");
  return numbersOnDesk().sort((one, other) => waits(other) - waits(one));
}

export function countWaiting() {
  const count = document.querySelectorAll(".box.waits").length;
  document.title = count ? `(${count}) ${plainTitle}` : plainTitle;
}

/** A message is there before the server has drawn the box again. */
export function messageInBox(number, { author, at }) {
  const box = boxOf(number);
  if (!box || box.classList.contains("assigned") || !["visitor", "agent"].includes(author)) return;
  const waits = author === "visitor";
  box.classList.toggle("waits", waits);
  box.querySelector(".wait").hidden = !waits;
  if (!waits) {
    const clock = box.querySelector("[data-answered]");
    clock.dateTime = at;
    clock.setAttribute("data-since", "");
  }
  countWaiting();
  tick();
}

export function showPresence({ conversation, online }) {
  const places = [
    boxOf(conversation),
    document.getElementById(`sleeper-${conversation}`),
    document.querySelector(`.dialogue[data-number="${conversation}"] [data-presence]`),
  ];
  for (const place of places) {
    if (!place) continue;
    place.querySelector(".dot").classList.toggle("on", online);
    place.querySelector(".presence .words").textContent = online ? texts.onSite : texts.left;
  }
}
