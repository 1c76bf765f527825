// Calls in the Messenger: the buttons in the head, and the panel below it. What a call needs is loaded
// when the first one rings, begins, or goes on after a reload.

import { byId, element } from "./elements.js";

const FRAMES = { call: "hear", signal: "signal", call_over: "dropped" };
const REACHED = ["talking", "received"]; // Parts of an agent who is there.

export class Calling {
  /** session, host; settings: of the website, or null where there are no calls; send(frame);
   *  isQuiet(): the visitor wants no sounds */
  constructor({ session, host, settings, send, isQuiet }) {
    Object.assign(this, { session, host, settings, send, isQuiet });
    this.store = {
      load: () => read(session.load("call")),
      save: (value) => session.save("call", value && JSON.stringify(value)),
    };
    if (!settings) return;
    for (const kind of ["voice", "video"]) {
      byId(`call-${kind}`).addEventListener("click", () => this.#call(kind === "video"));
    }
    if (session.isKnown && this.store.load()) this.#load();
  }

  #load() {
    const { settings, session } = this;
    return (this.loading ??= import(settings.script).then(({ Calls }) => {
      document.head.append(element("link", { rel: "stylesheet", href: settings.style }));
      this.calls = new Calls({
        side: "visitor",
        place: byId("call"),
        texts: settings.texts,
        sprite: settings.sprite,
        ask: (conversation, path, data) => session.ask(`conversations/${conversation}/calls/${path}`, data),
        send: this.send,
        store: this.store,
        lock: session.prefix,
        mayRing: () => !this.isQuiet(),
        onRing: (call, name) => this.host.tell("nudge", { text: settings.texts.rings.replace("{name}", name) }),
        onQuiet: () => this.host.tell("nudge", { text: "" }),
        onChange: () => this.#draw(),
      });
      return this.calls;
    }));
  }

  /** A frame of the socket; return whether it was about a call. */
  hear(frame) {
    const name = FRAMES[frame.type];
    if (!name) return false;
    const named = frame.call?.agent ? { ...frame, name: frame.call.agent } : frame;
    if (this.settings) this.#load().then((calls) => calls[name](named)).catch(() => {}); // It rings elsewhere.
    return true;
  }

  opened() {
    this.loading?.then((calls) => calls.opened());
  }

  down() {
    this.loading?.then((calls) => calls.down());
  }

  /** Consent was withdrawn, or the visitor is another one. */
  leave() {
    if (this.calls?.isBusy) this.calls.end();
  }

  /** Ring at the agent who has just taken what asked for a call. */
  ring(withVideo) {
    if (this.settings && !this.calls?.isBusy) this.#call(withVideo);
  }

  #call(withVideo) {
    const { conversation } = this;
    const { name } = conversation.agent;
    const isElsewhere = this.settings.is_elsewhere;
    this.#load().then((calls) => calls.call(conversation.id, name, { withVideo, isElsewhere })).catch(() => {
      byId("call").hidden = false;
      byId("call").textContent = this.settings.texts.unreachable;
    });
  }

  /** Offer a call while an agent who is there has the conversation. */
  show(conversation) {
    this.conversation = conversation;
    this.#draw();
  }

  #draw() {
    if (!this.settings) return;
    const { status, agent } = this.conversation ?? {};
    const isOffered = status === "active" && REACHED.includes(agent?.part) && !this.calls?.isBusy;
    byId("call-voice").hidden = !isOffered;
    byId("call-video").hidden = !isOffered || !this.settings.video;
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
