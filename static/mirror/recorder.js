// In the brand's page, only while an agent looks: records the document with rrweb, masks it, and
// passes it to the Messenger's iframe, which sends it. messenger/mirroring/script.py bundles it.

import { MASK, clean } from "./outgoing.js";
import { Border } from "./border.js";
import { Cobrowsing } from "./cobrowsing.js";
import { isSecret } from "./secrets.js";

const ELEMENT_LIMIT = 50_000;
const FLUSH_MS = 100;
const REST = 20; // Between two snapshots, times what the last one took.
const REST_LEAST_MS = 1000;
const ANEW_AFTER = 5000; // Events, so that the desk's memory stays small.
const NEVER = "causerie-messenger, causerie-mirror, [data-private]";
const WRITABLE = "textarea, [contenteditable]:not([contenteditable=false])";

const origin = new URL(document.currentScript.src, location.href).origin;
const frame = () => document.querySelector("causerie-messenger")?.shadowRoot?.querySelector("iframe")?.contentWindow;
const tell = (type, detail) => frame()?.postMessage({ causerie: 1, type: `mirror:${type}`, ...detail }, origin);

class Recorder {
  constructor() {
    this.isWanted = false; // An agent looks, and the line is open.
    this.isBehind = false; // Another tab is in front.
    this.batch = [];
    this.snapshotMs = 0;
    this.restsUntil = 0;
    this.emptied = new WeakSet(); // At the desk, since the last snapshot.
    this.watcher = new MutationObserver(() => this.#flushSoon());
    this.border = new Border({ onStop: () => this.stopForGood() });
    this.cobrowsing = new Cobrowsing({
      tell,
      border: this.border,
      hidden: () => this.hidden,
      elementOf: (id) => rrweb.record.mirror.getNode(id),
    });
    document.addEventListener("visibilitychange", () => this.turn());
    addEventListener("focus", () => this.isBehind && this.comeForward());
    addEventListener("pagehide", () => this.pause());
  }

  hear({ what, names, settings, labels, ms, session, said }) {
    if (what === "look") {
      this.settings = settings;
      this.border.show(names, labels);
      this.cobrowsing.show(session, { labels: labels.cobrowsing, domains: settings.domains });
      this.isWanted = true;
      this.isBehind = false;
      this.turn();
    }
    if (what === "pause") this.pause();
    if (what === "over") this.over();
    if (what === "snapshot") this.snapshot();
    if (what === "slow") this.restsUntil = performance.now() + ms;
    if (what === "slow") this.snapshot();
    if (what === "point" && this.stop) this.cobrowsing.point(said);
    if (what === "act" && this.stop) this.cobrowsing.act(said);
    if (what === "behind") {
      this.isBehind = true;
      this.rest();
    }
  }

  /** Record while this tab is in front and somebody looks. */
  turn() {
    if (!this.isWanted) return;
    if (document.visibilityState === "visible" && !this.isBehind) return this.start();
    if (document.visibilityState !== "visible" && this.stop) tell("hidden");
    if (document.visibilityState !== "visible") this.isBehind = false; // It comes to the front when it is shown again.
    this.rest();
  }

  comeForward() {
    this.isBehind = false;
    this.turn();
  }

  start() {
    if (this.stop || this.isStarting) return;
    this.isStarting = true;
    whenIdle(() => {
      this.isStarting = false;
      if (!this.isWanted || this.isBehind || this.stop || document.visibilityState !== "visible") return;
      this.#record();
    });
  }

  #record() {
    if (isTooLarge()) return tell("large");
    const hidden = this.#selectors();
    if (!hidden) return tell("blocked");
    tell("front");
    const began = performance.now();
    this.stop = rrweb.record({
      emit: (event) => this.#emit(event),
      blockClass: "causerie-never",
      blockSelector: hidden,
      maskTextSelector: WRITABLE,
      maskTextFn: (text) => (text.trim() ? MASK : text),
      maskAllInputs: true,
      maskInputFn: (text, element) =>
        this.settings.showsInputs && element && !isSecret(element) ? text : text && MASK,
      slimDOMOptions: "all",
      sampling: { mousemove: 100, scroll: 150, media: 800, input: "last" },
      checkoutEveryNth: ANEW_AFTER,
      recordCanvas: false,
      recordCrossOriginIframes: false,
      collectFonts: false,
      inlineImages: false,
      errorHandler: () => true, // Nothing may throw into the page.
    });
    this.#took(performance.now() - began);
    this.hidden = hidden;
    this.watcher.observe(document, { subtree: true, childList: true, attributes: true });
  }

  /** What the website hides; null if the browser does not understand it: then nothing is shown. */
  #selectors() {
    const selectors = [NEVER, ...this.settings.hides];
    try {
      selectors.forEach((one) => document.querySelector(one));
      return selectors.join(", ");
    } catch {
      console.warn("Causerie: the page is not shown to agents, because a selector of hidden parts is invalid.");
      return null;
    }
  }

  /** Empty at the desk what became private after it was recorded: rrweb only stops to report its
  changes. The next full snapshot then leaves it out. */
  #hideAnew() {
    for (const element of document.querySelectorAll(this.hidden)) {
      const meta = rrweb.record.mirror.getMeta(element);
      // rrweb records the size of what it leaves out, and of nothing else.
      if (!meta || "rr_width" in meta.attributes || this.emptied.has(element)) continue;
      this.emptied.add(element);
      this.batch.push(emptied(element, rrweb.record.mirror));
      this.snapshot();
    }
  }

  /** Take a full snapshot, at most every REST times as long as the last one took. */
  snapshot() {
    if (!this.stop || this.isDue) return;
    this.isDue = true;
    setTimeout(
      () =>
        whenIdle(() => {
          this.isDue = false;
          if (!this.stop) return;
          if (isTooLarge()) {
            this.rest();
            return tell("large");
          }
          const began = performance.now();
          rrweb.record.takeFullSnapshot(true);
          this.#took(performance.now() - began);
        }),
      Math.max(this.restsUntil - performance.now(), 0),
    );
  }

  #took(ms) {
    this.snapshotMs = ms;
    this.restsUntil = performance.now() + Math.max(REST * ms, REST_LEAST_MS);
    performance.measure?.("causerie:snapshot", { start: performance.now() - ms, end: performance.now() });
  }

  #emit(event) {
    const { showsInputs } = this.settings;
    const elementOf = (id) => rrweb.record.mirror.getNode(id);
    const cleaned = clean(event, { showsInputs, elementOf, isSecret });
    if (!cleaned) return;
    if (cleaned.type === 4) this.#flush(); // A full snapshot begins with it.
    this.batch.push(cleaned);
    if (cleaned.type !== 2) return this.#flushSoon();
    this.emptied = new WeakSet();
    this.#flush(true);
  }

  #flushSoon() {
    this.timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  #flush(isStart = false) {
    clearTimeout(this.timer);
    this.timer = null;
    if (!isStart && this.stop) this.#hideAnew();
    if (this.batch.length) tell("events", { events: this.batch, isStart });
    this.batch = [];
  }

  rest() {
    this.stop?.();
    this.stop = null;
    this.watcher.disconnect();
    clearTimeout(this.timer);
    this.timer = null;
    this.batch = [];
  }

  /** The line is down: nothing is recorded until it is back. */
  pause() {
    this.isWanted = false;
    this.rest();
  }

  over() {
    this.pause();
    this.cobrowsing.show(null, {});
    this.border.hide();
  }

  /** The visitor stops it: here at once, whatever the server does. */
  stopForGood() {
    this.isStopped = true;
    this.over();
    tell("stop");
  }
}

/** Return the event that empties an element at the desk. */
function emptied(element, mirror) {
  const id = mirror.getId(element);
  const removes = [...element.childNodes].map((child) => ({ parentId: id, id: mirror.getId(child) }));
  const attributes = [{ id, attributes: { style: "opacity: 0 !important" } }];
  const data = { source: 0, texts: [], adds: [], attributes, removes: removes.filter((one) => one.id > 0) };
  return { type: 3, timestamp: Date.now(), data };
}

const isTooLarge = () => document.getElementsByTagName("*").length > ELEMENT_LIMIT;

/** When the page has nothing to do; browsers without such a callback wait a little. */
function whenIdle(work) {
  if (window.requestIdleCallback) requestIdleCallback(work, { timeout: 1000 });
  else setTimeout(work, 50);
}

const recorder = new Recorder();
addEventListener("message", ({ source, origin: sender, data }) => {
  if (source !== frame() || sender !== origin || data?.causerie !== 1 || data.type !== "mirror") return;
  if (!recorder.isStopped) recorder.hear(data);
});
tell("loaded");
