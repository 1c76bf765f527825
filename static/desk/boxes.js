// The state boxes on the page: which conversations are on the desk, and which of them wait.

import { tick } from "../base/clock.js";
import { element, icon, texts } from "./page.js";

const plainTitle = document.title;

export function boxOf(number) {
  return document.getElementById(`box-${number}`);
}

export function numbersOnDesk() {
  return Array.from(document.querySelectorAll(".box:not(.assigned)"), (box) => box.dataset.number);
}

/** The same; those that wait for an answer come first, the longest wait before the others. */
export function numbersToAnswer() {
  const since = (number) => Date.parse(boxOf(number).querySelector("[data-waits][data-since]")?.dateTime) || Infinity;
  const waits = (number) => (boxOf(number).classList.contains("waits") ? since(number) : Infinity);
  return numbersOnDesk().sort((one, other) => waits(one) - waits(other) || 0);
}

export function countWaiting() {
  const count = document.querySelectorAll(".box.waits").length;
  document.title = count ? `(${count}) ${plainTitle}` : plainTitle;
  const announced = document.getElementById("waiting-count");
  const words = count ? [`${count}`, element("span", { class: "sr-only" }, ` ${texts.waiting}`)] : [];
  announced?.replaceChildren(...words);
}

/** Show a message before the server has drawn the box again. */
export function messageInBox(number, message) {
  const box = boxOf(number);
  if (!box || message.author === "system") return;
  drawLastMessage(box.querySelector("[data-last-message]"), message);
  if (box.classList.contains("assigned") || message.author === "bot") return;
  const { author, at } = message;
  const wait = box.querySelector("[data-waits]");
  // A visitor who waits already goes on waiting since their first unanswered message.
  if (author === "visitor" && !box.classList.contains("waits")) startClock(wait, at);
  if (author === "agent") startClock(box.querySelector("[data-answered]"), at);
  const waits = author === "visitor";
  box.classList.toggle("waits", waits);
  box.querySelector(".wait").hidden = !waits;
  countWaiting();
  tick();
}

function startClock(clock, at) {
  clock.dateTime = at;
  clock.setAttribute("data-since", "");
}

/** Only the holder writes in a conversation, so an agent's messages are this agent's own. */
function drawLastMessage(place, { author, body, attachment }) {
  const by = { agent: `${texts.youSaid} `, bot: `${texts.botSaid} ` }[author] ?? "";
  place.replaceChildren(element("span", { class: "by" }, by));
  if (!body && attachment) place.append(icon("paperclip"));
  place.append(element("span", { class: "words" }, (body || attachment?.name) ?? ""));
}

const FRESH_MS = 5000;

/** Who is on the site. The socket may be ahead of a fragment that was drawn earlier, and then its
 *  state wins. */
export const presence = {
  presence: new Map(), // {online, at} by number

  tell({ conversation, online }) {
    this.presence.set(conversation, { online, at: Date.now() });
    show(conversation, online);
  },

  /** A fragment has arrived. */
  draw() {
    for (const [number, { online, at }] of this.presence) {
      if (Date.now() - at > FRESH_MS) this.presence.delete(number);
      else show(number, online);
    }
  },
};

function show(number, online) {
  const places = [
    boxOf(number),
    document.getElementById(`paused-row-${number}`),
    document.querySelector(`.dialogue[data-number="${number}"] [data-presence]`),
  ];
  for (const place of places) {
    if (!place?.querySelector(".presence")) continue; // Those who write elsewhere are never on the site.
    place.querySelector(".dot").classList.toggle("on", online);
    place.querySelector(".presence .words").textContent = online ? texts.onSite : texts.left;
  }
}
