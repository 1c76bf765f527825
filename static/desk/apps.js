// Third-party applications in the toolbar (docs/apps.md): framed when they are unfolded, sent a
// signed context at their own origin, and heard only from there.

import { cut } from "../shared/text.js";
import { element, texts, write } from "./page.js";

const PATIENCE_MS = 10_000;
const RENEW_MS = 4 * 60_000; // The context is valid for five minutes.
const TEXT_LIMIT = 4000;
const HEIGHTS = [80, 600];
const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-popups";
const open = new Map(); // The unfolded applications, by their <details>.

const numberInFocus = () => document.getElementById("toolbar")?.dataset.number;

class App {
  constructor(root) {
    this.root = root;
    this.origin = root.dataset.origin;
    this.place = root.querySelector(".app-place");
    this.fault = root.querySelector(".app-fault");
    root.querySelector("[data-app-again]").addEventListener("click", () => this.load());
    this.load();
  }

  load() {
    this.stop();
    this.fault.hidden = true;
    // On the desk's own host it could do everything that the desk can.
    if (this.origin === location.origin) return this.fail(texts.appForbidden);
    this.place.replaceChildren(element("p", { class: "muted small" }, texts.appLoading));
    this.frame = element("iframe", {
      src: this.root.dataset.url,
      title: this.root.querySelector("summary").textContent,
      sandbox: SANDBOX,
      referrerpolicy: "no-referrer",
      allow: "",
    });
    this.place.append(this.frame);
    this.timer = setTimeout(() => this.fail(texts.appSilent), PATIENCE_MS);
  }

  /** The application has reported that it is ready, or wants the context again. */
  async ready() {
    clearTimeout(this.timer);
    this.place.querySelector("p")?.remove();
    await this.tell("context");
    this.timer = setTimeout(() => this.ready(), RENEW_MS);
  }

  /** `type`: "context" (first, and before it expires), "focused" or "visitor". */
  async tell(type) {
    const number = numberInFocus();
    if (!this.frame || !number) return;
    let content;
    try {
      const address = `/desk/c/${number}/apps/${this.root.dataset.app}/`;
      const response = await fetch(address, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(response.status);
      content = await response.json();
    } catch {
      return this.fail(texts.failed);
    }
    if (String(content.conversation) !== numberInFocus()) return; // Another one is in focus by now.
    const language = document.documentElement.lang;
    this.frame?.contentWindow?.postMessage({ causerie: 1, type, language, ...content }, this.origin);
  }

  hear({ type, text, height, conversation }) {
    if (type === "ready") this.ready();
    if (type === "insert") insert(text, conversation);
    if (type === "resize" && Number.isFinite(height)) {
      this.frame.height = Math.round(Math.min(Math.max(height, HEIGHTS[0]), HEIGHTS[1]));
    }
  }

  fail(sentence) {
    this.stop();
    this.fault.hidden = false;
    this.fault.firstElementChild.textContent = sentence;
  }

  stop() {
    clearTimeout(this.timer);
    this.place.replaceChildren();
    this.frame = null;
  }
}

/** Insert at the caret in the composer of the conversation in focus; nothing is sent. */
function insert(text, conversation) {
  const number = numberInFocus();
  if (typeof text !== "string" || String(conversation) !== number) return;
  const box = document.getElementById(`reply-${number}`);
  if (box) write(box, cut(text, TEXT_LIMIT));
}

function tellAll(type) {
  for (const [root, app] of open) {
    if (root.isConnected) app.tell(type);
    else {
      app.stop();
      open.delete(root);
    }
  }
}

/** The toolbar was drawn, perhaps for another conversation. */
let last;
export function drawApps() {
  const number = numberInFocus();
  if (number !== last) tellAll("focused");
  last = number;
}

/** The visitor in focus opened another page, or there is news of them. */
export const visitorChanged = () => tellAll("visitor");

// A toggle does not bubble.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!target.matches?.("[data-app]")) return;
    open.get(target)?.stop();
    open.delete(target);
    if (target.open) open.set(target, new App(target));
  },
  true,
);

addEventListener("message", ({ source, origin, data }) => {
  if (data?.causerie !== 1) return;
  for (const app of open.values()) {
    if (app.frame && source === app.frame.contentWindow && origin === app.origin) app.hear(data);
  }
});
