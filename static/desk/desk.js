// The desk: one socket, the boxes, the open dialogue. The socket tells what changed; the HTML comes
// from the ordinary views, by htmx, and is morphed into the page.

import "../base/bar.js";
import { tick } from "../base/clock.js";
import { connect } from "../shared/socket.js";
import { Dialogue, sendBehind, unsentNumbers } from "./dialogue.js";
import { agent, notify, texts } from "./page.js";
import { tellMoment } from "./snooze.js";

const { htmx, Idiomorph } = window;
const REFRESH_MS = 200; // At most five fetches a second of one thing.
const SPREAD_MS = 1000;
const OFFLINE_MS = 2500;
const wide = matchMedia("(min-width: 721px)");
const plainTitle = document.title;
const stage = document.getElementById("stage");
const dialog = document.getElementById("dialog");
const offline = document.getElementById("offline");

let dialogue = null;
let wanted = stage?.querySelector(".dialogue")?.dataset.number ?? null;
let known = null; // Numbers of the boxes, to see which are new.
let isDown = false;
let isGoing = false; // The logout of this page is under way: its answer leads away.
let isLeaving = false; // The dialog of the logout is open, or one that was opened from it.
let downTimer;

Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) =>
  !(old instanceof Element && old.id && old.hasAttribute("data-keep"));

/** Call `work` at once, then at most once in REFRESH_MS, the last call never lost. */
function coalesced(work) {
  let timer = null;
  let again = false;
  return function run() {
    if (timer) {
      again = true;
      return;
    }
    timer = setTimeout(() => {
      timer = null;
      if (again) run();
    }, REFRESH_MS);
    again = false;
    work();
  };
}

const refreshBoxes = coalesced(() => {
  if (document.getElementById("boxes")) get("/desk/boxes/", "#boxes", "morph");
  else get("/desk/snoozed/", "#sleepers", "morph");
});

const refreshDialogue = coalesced(() => {
  if (wanted) get(`/desk/c/${wanted}/`, "#stage", "morph:innerHTML");
});

// Told to a whole team at once: spread over a second, and the figure alone where the lists are not.
const refreshSnoozed = coalesced(() => {
  if (document.getElementById("sleepers")) get("/desk/snoozed/", "#sleepers", "morph");
  else setTimeout(() => get("/desk/snoozed/count/", "#snoozed-count", "morph"), Math.random() * SPREAD_MS);
});

/** A later call for one target replaces an earlier one that still waits: htmx's own queue. */
function get(url, target, swap) {
  return htmx.ajax("GET", url, { target, swap, source: target });
}

// --- Boxes -----------------------------------------------------------------------------------

function boxOf(number) {
  return document.getElementById(`box-${number}`);
}

function numbersOnDesk() {
  return Array.from(document.querySelectorAll(".box:not(.assigned)"), (box) => box.dataset.number);
}

function boxesDrawn() {
  const numbers = numbersOnDesk();
  const fresh = known ? numbers.filter((number) => !known.includes(number)) : [];
  known = numbers;
  fresh.forEach(greet);
  if (stage && !wanted && fresh.length && wide.matches) open(fresh[0]);
  markOpen();
  countWaiting();
  tick();
}

function greet(number) {
  const box = boxOf(number);
  box.classList.add("fresh");
  setTimeout(() => box.classList.remove("fresh"), 4000);
  document.getElementById("news").textContent = `${texts.arrived} ${box.querySelector(".name").textContent}`;
}

function markOpen() {
  for (const box of document.querySelectorAll(".box")) {
    if (box.dataset.number === wanted) box.setAttribute("aria-current", "true");
    else box.removeAttribute("aria-current");
  }
}

function countWaiting() {
  const count = document.querySelectorAll(".box.waits").length;
  document.title = count ? `(${count}) ${plainTitle}` : plainTitle;
}

/** A message is there before the server has drawn the box again. */
function messageInBox(number, { author, at }) {
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

// --- The open conversation -------------------------------------------------------------------

function open(number, { push = true } = {}) {
  wanted = String(number);
  stage.classList.remove("with-toolbar");
  if (push) history.pushState({}, "", `/desk/c/${number}/`);
  markOpen();
  get(`/desk/c/${number}/`, "#stage", "morph:innerHTML");
}

function leave({ push = true } = {}) {
  wanted = null;
  dialogue?.stop();
  dialogue = null;
  if (push) history.pushState({}, "", "/desk/");
  stage.replaceChildren(document.getElementById("nothing").content.cloneNode(true));
  stageDrawn();
}

function stageDrawn() {
  const section = stage.querySelector(".dialogue");
  const number = section?.dataset.number ?? null;
  if (number && number !== wanted) {
    // The answer to an earlier click, or of a conversation that has just left the desk.
    if (wanted) refreshDialogue();
    else leave({ push: false });
    return;
  }
  document.body.classList.toggle("reading", Boolean(section));
  if (String(dialogue?.number ?? "") !== (number ?? "") || !dialogue?.isDrawn) {
    dialogue?.stop();
    dialogue = section ? new Dialogue(section, { sendFrame: socket.send, onGone: gone, onLine: showLine }) : null;
  }
  dialogue?.refresh();
  dialogue?.markRead();
  markOpen();
  tick();
}

function gone(sentence) {
  notify(sentence);
  refreshDialogue();
  refreshBoxes();
}

/** Something left the desk by my own hand: on to the next that waits, else to the first. */
function next(number) {
  const others = Array.from(document.querySelectorAll(".box:not(.assigned)")).filter(
    (box) => box.dataset.number !== String(number),
  );
  const chosen = others.find((box) => box.classList.contains("waits")) ?? others[0];
  if (chosen && wide.matches) open(chosen.dataset.number);
  else leave();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-number]");
  const isPlain = !(event.metaKey || event.ctrlKey || event.shiftKey || event.button);
  if (link && stage && isPlain) {
    event.preventDefault();
    open(link.dataset.number);
  }
  if (event.target.closest("[data-back]")) {
    event.preventDefault();
    leave();
  }
  const aside = event.target.closest("[data-aside]");
  if (aside) aside.setAttribute("aria-expanded", stage.classList.toggle("with-toolbar"));
  if (event.target === dialog) dialog.close();
  if (event.target.closest("[data-dismiss]")) dismiss();
});

addEventListener("popstate", () => {
  if (!stage) return;
  const [, number] = location.pathname.match(/^\/desk\/c\/(\d+)\/$/) ?? [];
  if (number) open(number, { push: false });
  else leave({ push: false });
});

// --- Logging out: what lies on the desk is dealt with first (C22) -------------------------------

function askToLeave() {
  get("/logout/", "#dialog-body", "innerHTML");
}

/** From a dialog of one conversation back to the list; from anything else, away. */
function dismiss() {
  if (isLeaving && !dialog.querySelector("[data-leaving]")) askToLeave();
  else dialog.close();
}

document.addEventListener("htmx:beforeRequest", ({ detail: { requestConfig } }) => {
  isGoing ||= requestConfig.path === "/logout/" && requestConfig.verb === "post";
});

document.addEventListener("htmx:afterRequest", ({ detail: { xhr } }) => {
  if (!xhr.getResponseHeader("HX-Redirect")) isGoing = false;
});

dialog.addEventListener("close", () => (isLeaving = false));

// --- What htmx brought -----------------------------------------------------------------------

document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id === "stage") stageDrawn();
  if (target.id === "boxes") boxesDrawn();
  if (target.id === "sleepers") tick();
  if (target.id === "dialog-body") {
    tellMoment();
    for (const menu of document.querySelectorAll("[data-menu][open]")) menu.open = false;
    isLeaving ||= Boolean(dialog.querySelector("[data-leaving]"));
    if (!dialog.open) dialog.showModal();
  }
});

document.addEventListener("desk:moved", ({ detail: { number, status } }) => {
  if (isLeaving) askToLeave();
  else if (dialog.open) dialog.close();
  if (!stage) {
    if (status === "active") location.assign(`/desk/c/${number}/`);
    else refreshBoxes();
    return;
  }
  const isOpen = wanted === String(number);
  if (isOpen && dialogue?.isMine && status !== "active") next(number);
  else if (isOpen) refreshDialogue();
  refreshBoxes();
});

document.addEventListener("desk:refused", ({ detail: { message } }) => {
  if (isLeaving) askToLeave();
  else if (dialog.open) dialog.close();
  notify(message);
  refreshBoxes();
});

document.addEventListener("htmx:responseError", ({ detail }) => {
  const { verb } = detail.requestConfig;
  if (detail.xhr.status === 404 && detail.target === stage) leave();
  // Where the answer says itself what is wrong, that sentence is shown already.
  else if (detail.xhr.getResponseHeader("HX-Trigger")) return;
  else if (verb !== "get" || detail.target.id === "dialog-body") notify(texts.refused);
});

document.addEventListener("htmx:sendError", ({ detail }) => {
  const { verb } = detail.requestConfig;
  if (verb !== "get" || detail.target.id === "dialog-body") notify(texts.failed);
});

// --- The socket ------------------------------------------------------------------------------

function show(frame) {
  const isOpen = String(frame.conversation ?? "") === wanted && dialogue;
  switch (frame.type) {
    case "message":
      messageInBox(frame.conversation, frame.message);
      if (isOpen) {
        dialogue.thread.receive(frame.message);
        if (frame.message.author === "visitor") dialogue.showTyping(false);
      }
      break;
    case "read":
      if (isOpen) dialogue.thread.receiveRead(frame);
      break;
    case "typing":
      if (isOpen) dialogue.showTyping(frame.on);
      break;
    case "presence":
      showPresence(frame);
      break;
    case "changed":
      if (frame.what === "snoozed") refreshSnoozed();
      else refreshBoxes();
      if (dialog.querySelector("[data-leaving]")) askToLeave();
      if (frame.what === "conversation" && isOpen) refreshDialogue();
      break;
    case "logout":
      if (!isGoing) location.assign("/login/");
  }
}

function showPresence({ conversation, online }) {
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

/** The socket may take a minute to notice a cut; the browser, or a reply that fails, is quicker. */
function showLine() {
  offline.hidden = !isDown && navigator.onLine && !dialogue?.thread.isCut;
}

addEventListener("online", showLine);
addEventListener("offline", showLine);

const socket = agent
  ? connect({
      url: async () => `${location.origin.replace(/^http/, "ws")}/ws/desk/`,
      onFrame: show,
      onOpen() {
        clearTimeout(downTimer);
        downTimer = null;
        isDown = false;
        showLine();
        refreshBoxes();
        refreshDialogue();
        dialogue?.thread.sync();
      },
      onDown() {
        downTimer ??= setTimeout(() => {
          isDown = true;
          showLine();
        }, OFFLINE_MS);
      },
    })
  : { send() {} };

document.addEventListener("visibilitychange", () => dialogue?.markRead());
addEventListener("focus", () => dialogue?.markRead());

if (location.hash === "#leaving") {
  history.replaceState({}, "", location.pathname);
  askToLeave();
}

if (stage) {
  for (const number of unsentNumbers()) {
    if (String(number) !== wanted && boxOf(number)) sendBehind(number);
  }
  stageDrawn();
  boxesDrawn();
  if (!wanted && wide.matches) {
    const first = document.querySelector(".box.waits") ?? document.querySelector(".box:not(.assigned)");
    if (first) open(first.dataset.number, { push: false });
  }
}
