// Replays a stored look in the frame of the live picture, with its policy. Nothing is loaded before
// somebody plays it, because each replay is recorded.

import { Frames, eventsOf } from "./frames.js";
import { element, texts } from "./page.js";

const HEAD_BYTES = 8; // Of a record: milliseconds, length.
const TICK_MS = 100;

const byId = (id) => document.getElementById(id);
const player = byId("player");

class Player {
  constructor() {
    this.batches = []; // {at, begins, parts, isDeflated}, in order.
    this.at = 0; // Milliseconds since the look began.
    this.next = 0; // The first batch that was not shown yet.
    this.showing = Promise.resolve();
    byId("play").addEventListener("click", () => this.toggle());
    byId("position").addEventListener("change", ({ target }) => this.seek(Number(target.value)));
    addEventListener("message", ({ source, origin, data }) => {
      if (source !== this.frame?.contentWindow || origin !== location.origin || data?.causerie !== 1) return;
      if (data.type === "mirror:ready") this.isReady();
      if (data.type === "mirror:broken") byId("said").textContent = texts.mirrorBroken;
      if (data.type === "mirror:missing") byId("said").textContent = texts.mirrorMissing.replace("{n}", Number(data.count));
    });
  }

  async toggle() {
    this.loading ??= this.load();
    if (!(await this.loading)) return;
    if (this.at >= this.length) await this.seek(0);
    if (this.timer) this.pause();
    else this.play();
  }

  async load() {
    byId("play").disabled = true;
    const framed = new Promise((resolve) => (this.isReady = resolve));
    this.frame = element("iframe", { src: player.dataset.frame, title: texts.mirrorFrame, tabindex: "-1" });
    byId("picture").replaceChildren(this.frame);
    try {
      const response = await fetch(player.dataset.frames, {
        method: "POST",
        headers: JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"),
      });
      if (!response.ok) throw new Error(response.status);
      this.read(new Uint8Array(await response.arrayBuffer()));
      await framed;
      return true;
    } catch {
      byId("said").textContent = texts.mirrorOver;
      this.loading = null;
      return false;
    } finally {
      byId("play").disabled = false;
    }
  }

  read(bytes) {
    let at = 0;
    const frames = new Frames((batch) => this.batches.push({ at, ...batch }));
    const view = new DataView(bytes.buffer);
    for (let place = 0; place + HEAD_BYTES <= bytes.length; ) {
      at = view.getUint32(place);
      const end = place + HEAD_BYTES + view.getUint32(place + 4);
      frames.receive(bytes.subarray(place + HEAD_BYTES, end));
      place = end;
    }
    this.length = at;
    const slider = byId("position"); // Its end is a whole step, or nobody could reach the last picture.
    slider.max = Math.ceil(at / slider.step) * slider.step;
    byId("position").disabled = false;
  }

  play() {
    let before = performance.now();
    this.timer = setInterval(() => {
      const now = performance.now();
      this.at = Math.min(this.at + (now - before) * Number(byId("speed").value), this.length);
      before = now;
      this.show();
      if (this.at >= this.length) this.pause();
    }, TICK_MS);
    this.draw();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.draw();
  }

  /** Go to a moment: from the last full picture before it, or from the first one. */
  seek(at) {
    const before = this.batches.findLastIndex((batch) => batch.begins && batch.at <= at);
    this.next = before < 0 ? this.batches.findIndex(({ begins }) => begins) : before;
    if (this.next < 0) return this.showing; // No picture came.
    this.at = Math.max(at, this.batches[this.next].at);
    return this.show();
  }

  show() {
    while (this.next < this.batches.length && this.batches[this.next].at <= this.at) {
      const batch = this.batches[this.next];
      this.next += 1;
      this.showing = this.showing.then(() => this.pass(batch));
    }
    this.draw();
    return this.showing;
  }

  async pass(batch) {
    try {
      const message = { causerie: 1, type: "mirror:events", events: await eventsOf(batch), isStart: batch.begins };
      this.frame.contentWindow?.postMessage(message, location.origin);
    } catch {
      byId("said").textContent = texts.mirrorBroken;
    }
  }

  draw() {
    byId("position").value = this.at;
    const seconds = Math.round(this.at / 1000);
    byId("clock").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const words = byId("play").querySelector("span");
    words.textContent = this.timer ? words.dataset.pause : words.dataset.play;
  }
}

new Player();
