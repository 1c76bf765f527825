// The desk: one socket, the boxes, the open dialogue. The socket reports what changed; the HTML
// comes from the ordinary views, by htmx, and is morphed into the page.

import "../base/bar.js";
import "../base/tips.js";
import { tick } from "../base/clock.js";
import { toast } from "../base/toasts.js";
import { connect } from "../shared/socket.js";
import { alertOnce } from "./alerts.js";
import { listenToAvailability } from "./availability.js";
import { boxOf, countWaiting, messageInBox, numbersOnDesk, numbersToAnswer, presence } from "./boxes.js";
import { calling } from "./calling.js";
import { comfort } from "./comfort.js";
import { watch } from "./looking.js";
import { sendBehind, unsentNumbers } from "./dialogue.js";
import { leaving, listenToLeaving } from "./leaving.js";
import { hear, renewState } from "./elsewhere.js";
import { DESK, agent, coalesced, get, notify, texts } from "./page.js";
import { Panes } from "./panes.js";
import { drawApps, visitorChanged } from "./apps.js";
import { drawMirror } from "./mirror.js";
import { drawNotes } from "./notes.js";
import { tellMoment } from "./snooze.js";
import { tellTransfer } from "./transfer.js";
import { drawUnsent, listenToUnsent } from "./unsent.js";

const { Idiomorph } = window;
const SPREAD_MS = 1000;
const OFFLINE_MS = 2500;
const wide = matchMedia("(min-width: 721px)");
const roomy = matchMedia("(min-width: 941px)"); // Below, one conversation at a time.
const stage = document.getElementById("stage");
const dialog = document.getElementById("dialog");
const offline = document.getElementById("offline");

let known = null; // Numbers of the boxes, to see which are new.
let isDown = false;
const underWay = new Set(); // Numbers of conversations that a form of this page is moving.
let downTimer;
let chosenCount = Number(stage?.dataset.panes ?? 1);

Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) =>
  !(old instanceof Element && old.id && old.hasAttribute("data-keep"));

// What was folded or unfolded stays so, and so does the kind of text being written: reply or note.
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
  name !== "data-mode" && (name !== "open" || node.tagName !== "DETAILS");

const refreshBoxes = coalesced(() => {
  if (document.getElementById("boxes")) get("/desk/boxes/", "#boxes", "morph");
  else if (document.getElementById("paused-lists")) get("/desk/snoozed/", "#paused-lists", "morph");
  if (!stage) renewState();
});

// Sent to a whole team at once: spread over a second; on pages without the lists, only the count.
const refreshSnoozed = coalesced(() => {
  if (document.getElementById("paused-lists")) get("/desk/snoozed/", "#paused-lists", "morph");
  else setTimeout(() => get("/desk/snoozed/count/", "#snoozed-count", "morph"), Math.random() * SPREAD_MS);
});

const refreshToolbar = coalesced(() => {
  if (panes?.number) get(`/desk/c/${panes.number}/toolbar/`, "#toolbar", "morph");
});

// --- Boxes -----------------------------------------------------------------------------------

function boxesDrawn() {
  const numbers = numbersOnDesk();
  const fresh = known ? numbers.filter((number) => !known.includes(number)) : [];
  known = numbers;
  fresh.forEach(greet);
  if (fresh.length && wide.matches) panes?.fill(fresh);
  markOpen();
  countWaiting();
  tick();
}

function greet(number) {
  const box = boxOf(number);
  box.classList.add("fresh");
  setTimeout(() => box.classList.remove("fresh"), 4000);
  const name = box.querySelector(".name").textContent;
  document.getElementById("news").textContent = `${texts.arrived} ${name}`;
  const isSeen = document.hasFocus() && Boolean(stage);
  alertOnce({
    id: `${number}.new.${box.dataset.came}`,
    where: DESK,
    title: texts.newConversation,
    body: name,
    isSeen,
    open: () => open(number),
  });
}

function markOpen() {
  for (const box of document.querySelectorAll(".box")) {
    if (box.dataset.number === panes?.number) box.setAttribute("aria-current", "true");
    else box.removeAttribute("aria-current");
    box.classList.toggle("shown", Boolean(panes?.find(box.dataset.number)));
  }
}

// --- The open conversations ------------------------------------------------------------------

function shownChanged() {
  document.body.classList.toggle("reading", Boolean(panes?.number));
  look();
  markOpen();
  tick();
}

function gone(sentence, number) {
  notify(sentence);
  panes.find(number)?.refresh();
  refreshBoxes();
}

/** The agent has sent this away themselves: go on to the next that waits, or else to the first. */
function next(number) {
  const others = numbersToAnswer().filter((other) => other !== String(number) && !panes.find(other));
  panes.replace(number, wide.matches ? others[0] : null);
}

function count() {
  panes.setCount(roomy.matches ? chosenCount : 1);
  if (wide.matches) panes.fill(numbersToAnswer(), { push: false });
}

roomy.addEventListener("change", () => stage && count());

document.addEventListener("desk:panes", ({ detail }) => {
  chosenCount = detail.value;
  count();
  refreshBoxes();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-number]");
  const isPlain = !(event.metaKey || event.ctrlKey || event.shiftKey || event.button);
  if (link && stage && isPlain) {
    event.preventDefault();
    panes.open(link.dataset.number);
  }
  if (event.target.closest("[data-back]")) {
    event.preventDefault();
    panes.empty();
  }
  const aside = event.target.closest("[data-aside]");
  if (aside) aside.setAttribute("aria-expanded", stage.classList.toggle("with-toolbar"));
  if (event.target === dialog) dialog.close();
  if (event.target.closest("[data-dismiss]")) leaving.dismiss();
});

addEventListener("popstate", () => {
  if (!stage) return;
  const [, number] = location.pathname.match(/^\/desk\/c\/(\d+)\/$/) ?? [];
  if (number) panes.open(number, { push: false });
  else panes.empty(panes.focused, { push: false });
});

// --- What htmx brought -----------------------------------------------------------------------

/** The toolbar acts on the conversation in focus. A late one, of the conversation that was in focus
 *  before, alone or with its dialogue, must not replace it. */
function refuseLateToolbar({ detail, target }) {
  if (target.id !== "toolbar") return;
  const brought = new DOMParser().parseFromString(detail.serverResponse ?? "", "text/html");
  const node = detail.fragment ?? brought;
  const toolbar = node.id === "toolbar" ? node : node.querySelector("#toolbar");
  if (toolbar && toolbar.dataset.number !== panes?.number) detail.shouldSwap = false;
}

document.addEventListener("htmx:beforeSwap", refuseLateToolbar);
document.addEventListener("htmx:oobBeforeSwap", refuseLateToolbar);

function drawToolbar() {
  drawNotes();
  drawApps();
  drawMirror();
}

document.addEventListener("htmx:oobAfterSwap", drawToolbar);

document.addEventListener("htmx:afterSwap", ({ target }) => {
  panes?.drawn(target);
  presence.draw();
  drawToolbar();
  if (target.id === "boxes") boxesDrawn();
  if (target.id === "paused-lists") tick();
  if (target.id === "dialog-body") dialogDrawn();
});

function dialogDrawn() {
  for (const menu of document.querySelectorAll("[data-menu][open]")) menu.open = false;
  if (!dialog.open) dialog.showModal();
  // A dialog that replaces another gets no focus by being opened.
  dialog.querySelector("[autofocus]")?.focus();
  drawUnsent();
  tellMoment();
  tellTransfer();
  leaving.drawn();
}

/** The socket may be faster than the response: if the button that asked has been morphed away, its
 *  events would bubble to nobody. */
document.addEventListener("htmx:beforeRequest", ({ detail: { elt, xhr } }) => {
  xhr.addEventListener("readystatechange", () => {
    const triggers = xhr.readyState === XMLHttpRequest.DONE && !elt.isConnected && xhr.getResponseHeader("HX-Trigger");
    if (!triggers) return;
    for (const [name, detail] of Object.entries(JSON.parse(triggers))) {
      document.dispatchEvent(new CustomEvent(name, { detail }));
    }
  });
});

/** What this page moves is drawn when its own response comes: it may be out of sight by then. */
document.addEventListener("htmx:beforeSend", ({ detail: { requestConfig: { verb, path }, xhr } }) => {
  const [, number] = path.match(/^\/desk\/c\/(\d+)\//) ?? [];
  if (verb !== "post" || !number) return;
  underWay.add(number);
  xhr.addEventListener("loadend", () => {
    underWay.delete(number);
    if (xhr.status < 200 || xhr.status > 299) panes?.find(number)?.refresh();
  });
});

document.addEventListener("desk:moved", ({ detail: { number, status } }) => {
  leaving.settle(number);
  if (!stage) {
    if (status === "active") location.assign(`/desk/c/${number}/`);
    else refreshBoxes();
    return;
  }
  const pane = panes.find(number);
  // The socket may have been faster, and what was mine is drawn as gone already.
  if (pane?.wasMine === String(number) && status !== "active") next(number);
  else if (pane) pane.refresh();
  else if (status === "active") panes.open(number);
  refreshBoxes();
});

document.addEventListener("desk:notice", ({ detail: { number, sentence, undo } }) => {
  const run = () => window.htmx.ajax("POST", undo, { source: document.body, swap: "none" });
  toast({ number, sentence, action: undo && { label: texts.undo, key: "z", run } });
});

document.addEventListener("desk:noted", ({ detail: { number } }) => {
  panes?.find(number)?.refresh();
  toast({ sentence: texts.noted });
});

document.addEventListener("desk:refused", ({ detail: { number, message } }) => {
  leaving.settle(number);
  notify(message);
  const pane = panes?.find(number);
  pane?.refresh();
  pane?.dialogue?.thread.sync(); // What the visitor has just written may be the reason.
  refreshBoxes();
});

document.addEventListener("htmx:responseError", ({ detail }) => {
  const { verb } = detail.requestConfig;
  const pane = panes?.list.find(({ root }) => root === detail.target);
  // 404: the socket has reported a transfer to another team before its own response came.
  if (detail.xhr.status === 404 && pane?.wasMine === pane.number) next(pane.number);
  else if (detail.xhr.status === 404 && pane) panes.empty(pane);
  // If the response itself says what is wrong, that sentence is shown already.
  else if (detail.xhr.getResponseHeader("HX-Trigger")) return;
  else if (verb !== "get" || detail.target.id === "dialog-body")
    notify(detail.xhr.status === 503 ? texts.failed : texts.refused);
});

document.addEventListener("htmx:sendError", ({ detail }) => {
  const { verb } = detail.requestConfig;
  if (verb !== "get" || detail.target.id === "dialog-body") notify(texts.failed);
});

// --- The socket ------------------------------------------------------------------------------

function show(frame) {
  if (calls.hear(frame)) return;
  if (!stage && frame.type === "message") {
    hear(frame);
    return;
  }
  const pane = panes?.find(frame.conversation);
  const dialogue = pane?.dialogue;
  switch (frame.type) {
    case "message":
      messageInBox(frame.conversation, frame.message);
      alertOf(frame);
      if (dialogue) {
        dialogue.thread.receive(frame.message);
        if (frame.message.author === "visitor") dialogue.showTyping(false);
      }
      break;
    case "translation":
      dialogue?.thread.receiveTranslation(frame.translation);
      break;
    case "delivery":
      dialogue?.showDelivery(frame);
      break;
    case "read":
      dialogue?.thread.receiveRead(frame);
      break;
    case "typing":
      dialogue?.showTyping(frame.on);
      break;
    case "presence":
      presence.tell(frame);
      if (String(frame.conversation) === panes?.number) refreshToolbar(); // It shows the page.
      break;
    case "changed":
      if (frame.what === "suggestions") {
        dialogue?.suggestions?.renew();
        break;
      }
      if (frame.what === "writing") {
        dialogue?.writingHelp?.renew();
        break;
      }
      if (frame.what === "visitor") {
        if (String(frame.conversation) === panes?.number) {
          refreshToolbar();
          visitorChanged();
        }
        break;
      }
      if (frame.what === "snoozed") refreshSnoozed();
      else refreshBoxes();
      leaving.renew();
      if (frame.what === "conversation" && !underWay.has(String(frame.conversation))) pane?.refresh();
      break;
    case "logout":
      if (!leaving.isGoing) location.assign("/login/");
  }
}

function alertOf({ conversation, message: { author, seq, body, attachment } }) {
  if (author !== "visitor") return;
  const name = boxOf(conversation)?.querySelector(".name").textContent ?? "";
  alertOnce({
    id: `${conversation}.${seq}`,
    where: String(conversation),
    title: `${name} #${conversation}`.trim(),
    body: body || attachment?.name,
    isSeen: document.hasFocus() && Boolean(panes?.find(conversation)),
    open: () => open(conversation),
  });
}

function open(number) {
  if (stage) panes.open(number);
  else location.assign(`/desk/c/${number}/`);
}

/** The socket may notice a cut only after a minute; the browser, or a failing reply, is faster. */
function showLine() {
  offline.hidden = !isDown && navigator.onLine && !panes?.dialogues.some(({ thread }) => thread.isCut);
}

addEventListener("online", showLine);
addEventListener("offline", showLine);

const panes = stage
  ? new Panes(stage, {
      dialogue: { sendFrame: (frame) => socket.send(frame), onGone: gone, onLine: showLine },
      onChange: shownChanged,
    })
  : null;

const socket = agent
  ? connect({
      url: async () => `${location.origin.replace(/^http/, "ws")}/ws/desk/`,
      onFrame: show,
      onOpen() {
        clearTimeout(downTimer);
        downTimer = null;
        isDown = false;
        showLine();
        calls.opened();
        refreshBoxes();
        panes?.list.forEach((pane) => pane.refresh());
        panes?.dialogues.forEach(({ thread }) => thread.sync());
      },
      onDown() {
        calls.down();
        downTimer ??= setTimeout(() => {
          isDown = true;
          showLine();
        }, OFFLINE_MS);
      },
    })
  : { send() {} };

const calls = calling({ send: (frame) => socket.send(frame), open });

const look = stage ? watch(() => [DESK, ...panes.list.map(({ number }) => number).filter(Boolean)]) : () => {};

listenToAvailability({ onChosen: refreshBoxes });
listenToLeaving({ onStayed: refreshBoxes });
listenToUnsent({ find: (number) => panes?.find(number)?.dialogue });
comfort({ panes, open, numbersOnDesk, numbersToAnswer });

document.addEventListener("visibilitychange", () => panes?.dialogues.forEach((one) => one.markRead()));
addEventListener("focus", () => panes?.dialogues.forEach((one) => one.markRead()));

if (stage) {
  for (const number of unsentNumbers()) {
    if (!panes.find(number) && boxOf(number)) sendBehind(number);
  }
  panes.draw();
  drawToolbar();
  boxesDrawn();
  count();
}
