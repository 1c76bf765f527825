// The visitor's page in the toolbar: a live thumbnail, large behind the dialogue on a click (R188 to
// R190). The socket is open only while the agent looks; the frame has a policy of its own and gets
// the events from here.

import { connect } from "../shared/socket.js";
import { Cobrowsing } from "./cobrowsing.js";
import { Frames, eventsOf } from "./frames.js";
import { element, icon, texts } from "./page.js";

const ACKNOWLEDGE_MS = 400;
const HIDDEN_MS = 3000;
const HIDDEN_ACTING_MS = 60_000; // Who looks something up would have to ask the visitor again.

const stage = document.getElementById("stage");
const open = new Map(); // By their places in the toolbar.

class Mirror {
  constructor(place) {
    this.place = place;
    this.number = place.dataset.mirror;
    this.status = element("p", { class: "mirror-status muted small", role: "status" });
    this.starter = button("eye", texts.mirrorLook, () => this.look());
    this.place.replaceChildren(this.starter, element("p", { class: "muted small" }, texts.mirrorTold));
  }

  look() {
    this.isLooking = true;
    this.picture = element("div", { class: "mirror-picture" });
    this.frame = element("iframe", {
      src: this.place.dataset.frame,
      title: texts.mirrorFrame,
      tabindex: "-1",
    });
    this.enlarger = element("button", { type: "button", class: "mirror-enlarge", "aria-label": texts.mirrorEnlarge });
    this.enlarger.addEventListener("click", () => this.enlarge(true));
    this.picture.append(this.frame, this.enlarger);
    this.reducer = button("chevron-down", texts.mirrorStrip, () => this.strip());
    this.mover = button("arrow-right-left", texts.mirrorMove, () => this.move());
    this.shrinker = button("minimize-2", texts.mirrorShrink, () => this.enlarge(false));
    this.leaver = button("x", texts.mirrorLeave, () => this.leave());
    this.cobrowsing = new Cobrowsing({
      send: (frame) => this.socket?.send(frame),
      post: (message) => this.frame?.contentWindow?.postMessage({ causerie: 1, ...message }, location.origin),
      page: () => this.frames?.page,
      mayAsk: "cobrowsing" in this.place.dataset,
    });
    const parts = [this.reducer, this.mover, this.shrinker, this.leaver, this.cobrowsing.bar];
    this.controls = element("div", { class: "mirror-controls" }, ...parts);
    this.place.replaceChildren(this.picture, this.status, this.controls);
    // What floats above the controls makes room for them: they grow with what the agent may do.
    const measure = () => stage.style.setProperty("--controls", `${this.controls.offsetHeight}px`);
    new ResizeObserver(measure).observe(this.controls);
    this.say(texts.mirrorWaiting);
    this.enlarger.focus();
  }

  say(sentence) {
    this.status.textContent = sentence;
  }

  /** The frame is there, and waits for events. */
  listen() {
    const { frame } = this;
    this.unacknowledged = 0;
    this.inflating = Promise.resolve();
    this.frames = new Frames((batch) => (this.inflating = this.inflating.then(() => this.pass(batch, frame))));
    this.socket ??= connect({
      url: async () => `${location.origin.replace(/^http/, "ws")}/ws/desk/mirror/${this.number}/`,
      onFrame: (frame) => this.hear(frame),
      onBytes: (data) => this.receive(new Uint8Array(data)),
      onDown: () => {
        this.cobrowsing.drop();
        if (this.isLooking) this.say(texts.mirrorDown);
      },
    });
  }

  hear(frame) {
    const { type, why } = frame;
    if (["cobrowsing", "acting", "acted"].includes(type)) {
      this.cobrowsing.hear(frame);
      return this.place.classList.toggle("acting", this.cobrowsing.isOn);
    }
    if (type === "refused" || type === "over") return this.leave(texts.mirrorWhy[why] ?? texts.mirrorOver);
    if (type === "hidden") this.say(texts.mirrorHidden);
    if (type === "blocked") this.say(texts.mirrorBlocked);
    if (type === "large") this.say(texts.mirrorTooLarge);
  }

  receive(bytes) {
    this.acknowledge(bytes.length);
    this.frames.receive(bytes);
  }

  async pass(batch, frame) {
    try {
      const events = await eventsOf(batch);
      if (frame !== this.frame) return;
      frame.contentWindow?.postMessage({ causerie: 1, type: "mirror:events", events, isStart: batch.begins }, location.origin);
    } catch {
      this.say(texts.mirrorBroken);
    }
  }

  acknowledge(size) {
    this.unacknowledged += size;
    this.acknowledger ??= setTimeout(() => {
      this.acknowledger = null;
      this.socket?.send({ type: "received", bytes: this.unacknowledged });
      this.unacknowledged = 0;
    }, ACKNOWLEDGE_MS);
  }

  /** A message of the frame. */
  hearPicture(message) {
    const { type, count } = message;
    if (type === "mirror:ready") this.listen();
    if (type === "mirror:gesture") this.cobrowsing.gesture(message);
    if (type === "mirror:shown") this.say("");
    if (type === "mirror:broken") this.say(texts.mirrorBroken);
    if (type === "mirror:missing") this.say(texts.mirrorMissing.replace("{n}", Number(count)));
  }

  enlarge(isLarge) {
    this.place.classList.toggle("large", isLarge);
    stage.classList.toggle("with-mirror", isLarge);
    stage.classList.remove("stripped");
    delete stage.dataset.corner;
    stage.style.removeProperty("--dx");
    stage.style.removeProperty("--dy");
    this.reducer.setAttribute("aria-pressed", "false");
    // A phone has no room for both.
    if (isLarge && matchMedia("(max-width: 720px)").matches) this.strip();
    (isLarge ? this.shrinker : this.enlarger).focus();
  }

  /** Reduce the dialogue to a strip, to see the page better (R190). */
  strip() {
    this.reducer.setAttribute("aria-pressed", stage.classList.toggle("stripped"));
  }

  /** To the next corner, for those who do not drag. */
  move() {
    const corners = ["", "start-end", "start-start", "end-start"];
    const next = corners[(corners.indexOf(stage.dataset.corner ?? "") + 1) % corners.length];
    stage.dataset.corner = next;
    stage.style.removeProperty("--dx");
    stage.style.removeProperty("--dy");
  }

  rest() {
    this.socket?.stop();
    this.socket = null;
  }

  leave(sentence) {
    this.rest();
    this.isLooking = false;
    this.place.classList.remove("acting");
    if (this.place.classList.contains("large")) this.enlarge(false);
    this.frame = null;
    this.place.replaceChildren(this.starter, element("p", { class: "muted small", role: "status" }, sentence ?? texts.mirrorTold));
  }
}

function button(name, label, act) {
  const made = element("button", { type: "button", class: "button", title: label }, icon(name), element("span", {}, label));
  made.addEventListener("click", () => act());
  return made;
}

/** The toolbar was drawn: begin where there is a new place, end where one has gone. */
export function drawMirror() {
  for (const [place, mirror] of open) {
    if (place.isConnected) continue;
    open.delete(place);
    mirror.rest();
    if (place.classList.contains("large")) stage.classList.remove("with-mirror", "stripped");
  }
  for (const place of document.querySelectorAll("[data-mirror]")) {
    if (!open.has(place)) open.set(place, new Mirror(place));
  }
}

const looking = () => [...open.values()].filter(({ isLooking }) => isLooking);

addEventListener("message", ({ source, origin, data }) => {
  if (origin !== location.origin || data?.causerie !== 1) return;
  for (const mirror of looking()) if (source === mirror.frame?.contentWindow) mirror.hearPicture(data);
});

// Nobody looks at a hidden tab: the visitor's browser rests, and is told so.
let rests;
document.addEventListener("visibilitychange", () => {
  clearTimeout(rests);
  if (document.visibilityState === "visible") looking().forEach((mirror) => mirror.socket ?? mirror.listen());
  else {
    const isActing = looking().some(({ cobrowsing }) => cobrowsing.isOn);
    rests = setTimeout(() => looking().forEach((mirror) => mirror.rest()), isActing ? HIDDEN_ACTING_MS : HIDDEN_MS);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const large = looking().find(({ place }) => place.classList.contains("large"));
  if (!large || event.target.closest?.("textarea, input")) return;
  large.enlarge(false);
});

// The dialogue is dragged by its head while the page is large behind it.
document.addEventListener("pointerdown", (event) => {
  const head = event.target.closest?.(".with-mirror .dialogue-head");
  if (!head || event.target.closest("a, button") || event.button) return;
  const { style } = stage;
  const from = ["--dx", "--dy"].map((name) => Number.parseFloat(style.getPropertyValue(name)) || 0);
  const box = document.getElementById("panes").getBoundingClientRect();
  const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
  const drag = ({ clientX, clientY }) => {
    const x = clamp(clientX - event.clientX, -box.left, innerWidth - box.right);
    const y = clamp(clientY - event.clientY, -box.top, innerHeight - box.bottom);
    style.setProperty("--dx", `${from[0] + x}px`);
    style.setProperty("--dy", `${from[1] + y}px`);
  };
  const drop = new AbortController();
  head.setPointerCapture(event.pointerId);
  head.addEventListener("pointermove", drag, { signal: drop.signal });
  for (const name of ["pointerup", "pointercancel"]) {
    head.addEventListener(name, () => drop.abort(), { signal: drop.signal });
  }
});
