// Replays a visitor's page in a sandboxed frame. The desk passes the events; each goes through the
// same list of known elements as in the visitor's browser, which may be hostile.

import { clean } from "./outgoing.js";
import { labelOf, tagOf, targetOf } from "./targets.js";

const GESTURE_MS = 300; // Between two places of the pointer, or two steps of scrolling.
const POINTS = 120;
const LEAD_MS = 200; // Pointer moves come in batches.
const EVENT_LIMIT = 12_000; // Without a snapshot.
const { Replayer } = window.rrwebReplay;
const root = document.getElementById("stage");
const missing = new Set();

let replayer = null;
let count = 0;
let size = { width: 1280, height: 800 };
let fitted = { left: 0, scale: 1 };

const tell = (type, detail) => parent.postMessage({ causerie: 1, type: `mirror:${type}`, ...detail }, location.origin);

/** A new picture: what was before is thrown away with its frame. */
function begin() {
  replayer?.destroy();
  root.replaceChildren();
  missing.clear();
  count = 0;
  replayer = new Replayer([], {
    root,
    liveMode: true,
    triggerFocus: false,
    mouseTail: false,
    showWarning: false,
    showDebug: false,
    pauseAnimation: false,
    loadTimeout: 3000,
    UNSAFE_replayCanvas: false,
    logger: { log() {}, warn() {} },
  });
  replayer.iframe.setAttribute("tabindex", "-1");
  replayer.iframe.setAttribute("aria-hidden", "true");
  replayer.on("resize", ({ width, height }) => {
    size = { width, height };
    fit();
  });
  replayer.on("fullsnapshot-rebuilded", watch);
  replayer.startLive(Date.now() - LEAD_MS);
}

/** What the brand's server or the policy refuses is counted, so that the agent knows. */
function watch() {
  const inner = replayer.iframe.contentDocument;
  inner?.addEventListener("error", ({ target }) => miss(target.currentSrc || target.src || target.href), true);
  inner?.fonts?.addEventListener("loadingerror", ({ fontfaces }) => {
    for (const { family, style, weight } of fontfaces) miss(`font ${family} ${style} ${weight}`);
  });
  tell("shown");
}

function miss(name) {
  if (!name || missing.has(name) || missing.size > 500) return;
  missing.add(name);
  tell("missing", { count: missing.size });
}

function fit() {
  const wrapper = root.querySelector(".replayer-wrapper");
  if (!wrapper || !size.width || !size.height) return;
  const scale = Math.min(root.clientWidth / size.width, root.clientHeight / size.height);
  const left = Math.max((root.clientWidth - size.width * scale) / 2, 0);
  wrapper.style.transform = `translate(${left}px, 0) scale(${scale})`;
  fitted = { left, scale };
}

function show(events, isStart) {
  if (isStart) begin();
  if (!replayer || (count += events.length) > EVENT_LIMIT) return;
  for (const event of events) {
    const cleaned = clean(event);
    // The visitor's clock may be wrong: what comes is shown now.
    if (cleaned) replayer.addEvent({ ...cleaned, timestamp: Date.now() });
  }
}

// --- What the agent does in the picture, while the visitor lets them ---------------------------

let tool = "";
let scrolls = false;
let line = null; // The drawing that has begun.
let pointer = null;
let wheel = null;

function pointOf({ clientX, clientY }) {
  const { left, scale } = fitted;
  return { x: Math.round((clientX - left) / scale), y: Math.round(clientY / scale) };
}

/** The element under the pointer, by its number in the mirror and by what the agent sees. */
function targetAt(event, { isExact = false } = {}) {
  const { x, y } = pointOf(event);
  const under = replayer?.iframe.contentDocument?.elementFromPoint(x, y);
  const element = isExact ? under : targetOf(under);
  const node = element ? replayer.getMirror().getId(element) : -1;
  if (node < 1) return null;
  return { node, tag: tagOf(element), label: labelOf(element), isLink: Boolean(element.closest("a")) };
}

const gesture = (what, detail) => tell("gesture", { what, ...detail });

root.addEventListener("pointermove", (event) => {
  if (!tool) return;
  line?.push(pointOf(event));
  if (line) echo(line);
  if (pointer) return;
  pointer = setTimeout(() => (pointer = null), GESTURE_MS);
  gesture("point", pointOf(event));
});

root.addEventListener("pointerdown", (event) => {
  if (tool !== "draw" || event.button) return;
  line = [pointOf(event)];
  root.setPointerCapture(event.pointerId);
});

root.addEventListener("pointerup", () => {
  const drawn = line ?? [];
  line = null;
  if (drawn.length < 2) return;
  const step = Math.ceil(drawn.length / POINTS);
  const points = drawn.filter((_point, index) => index % step === 0).flatMap(({ x, y }) => [x, y]);
  if (points.length >= 4) gesture("draw", { points });
});

root.addEventListener("click", (event) => {
  if (!["highlight", "click", "fill"].includes(tool)) return;
  const target = targetAt(event, { isExact: tool === "highlight" });
  if (target) gesture(tool, target);
});

root.addEventListener(
  "wheel",
  (event) => {
    if (!scrolls) return;
    event.preventDefault();
    wheel ??= { target: targetAt(event, { isExact: true }), dx: 0, dy: 0, timer: setTimeout(turnWheel, GESTURE_MS) };
    wheel.dx += event.deltaX;
    wheel.dy += event.deltaY;
  },
  { passive: false },
);

function turnWheel() {
  const { target, dx, dy } = wheel;
  wheel = null;
  if (target) gesture("scroll", { ...target, dx: Math.round(dx), dy: Math.round(dy) });
}

/** The agent's own line, at once. */
function echo(points) {
  const drawing = document.getElementById("echo");
  const { left, scale } = fitted;
  drawing.firstElementChild.setAttribute("points", points.map(({ x, y }) => `${x * scale + left},${y * scale}`).join(" "));
  clearTimeout(echo.timer);
  echo.timer = setTimeout(() => drawing.firstElementChild.setAttribute("points", ""), 4000);
}

addEventListener("message", ({ source, origin, data }) => {
  if (source !== parent || origin !== location.origin || data?.causerie !== 1) return;
  if (data.type === "mirror:tool") {
    ({ tool, scrolls } = data);
    root.dataset.tool = tool;
  }
  if (data.type !== "mirror:events") return;
  try {
    show(data.events, data.isStart);
  } catch (error) {
    // Not a page that can be rebuilt; the next snapshot begins again.
    console.warn(error);
    replayer?.destroy();
    replayer = null;
    tell("broken");
  }
});
addEventListener("resize", fit);
tell("ready");
