// Sends the page to those who look at it: the recorder in the brand's page passes its events here,
// and a socket of their own takes them to the server, compressed and in small frames.

import { connect } from "../shared/socket.js";

const CHUNK_BYTES = 32 * 1024 - 1;
const WAITING_BYTES = 256 * 1024; // Of frames that the network has not taken yet.
const PATIENCE_MS = 500;
const GIVE_UP_AFTER = 4;
const LOAD_MS = 10_000;
const [START, FIRST, LAST, DEFLATED] = [1, 2, 4, 8];

export class Mirroring {
  /** session, host; settings: what the recorder masks, and its labels; onSession(session): an agent
  asks to act on the page, does so, or no longer does */
  constructor({ session, host, settings, onSession }) {
    Object.assign(this, { session, host, settings, onSession });
    this.names = [];
    this.cobrowsing = null; // The session that the visitor accepted, or is asked for.
    this.failures = 0;
    this.sending = Promise.resolve();
  }

  /** Those who look at the page of `conversation`: the recorder starts or stops. */
  show(conversation, names) {
    if (!this.settings || this.host.isAlone || !Array.isArray(names)) return;
    if (!names.length && conversation !== this.conversation) return;
    this.names = names;
    if (!names.length) return this.over();
    if (conversation !== this.conversation) this.over();
    this.conversation = conversation;
    this.host.tell("mirror", {}); // Makes the page load the recorder, unless it has.
    this.#listen();
    this.#look();
  }

  /** An agent asks to act on the page, does so (`is_on`), or no longer does (null). */
  showSession(conversation, session) {
    if (!this.settings || this.host.isAlone) return;
    this.cobrowsing = session && { ...session, conversation };
    this.onSession(this.cobrowsing);
    this.#look();
  }

  /** The visitor's answer to the agent. */
  async answer(accepts) {
    const { id, conversation } = this.cobrowsing;
    const path = `conversations/${conversation}/cobrowsing/`;
    return this.session.ask(path, { session: id, accepts }).catch(() => ({ ok: false }));
  }

  /** The visitor takes the page back. */
  async stopSession() {
    if (!this.cobrowsing) return;
    const { conversation } = this.cobrowsing;
    this.showSession(conversation, null);
    await this.#insist(`conversations/${conversation}/cobrowsing/stop/`);
  }

  /** Consent was withdrawn: nothing more leaves this browser, before the server ends the looks. */
  leave() {
    this.names = [];
    this.over();
  }

  over() {
    this.socket?.stop();
    this.socket = null;
    this.isUp = false;
    this.conversation = null;
    if (this.cobrowsing) this.onSession((this.cobrowsing = null));
    this.tell("over");
  }

  tell(what, detail = {}) {
    this.host.tell("mirror", { what, ...detail });
  }

  /** A message of the recorder. */
  hear({ type, events, isStart, number, outcome, target }) {
    this.isLoaded = true;
    if (type === "mirror:cobrowsing-stop") this.stopSession();
    if (type === "mirror:loaded") this.#look();
    if (type === "mirror:stop") this.#stop();
    if (!this.isUp) return;
    if (type === "mirror:events") this.#send(events, isStart === true);
    if (type === "mirror:acted") this.socket?.send({ type: "acted", number, outcome, target: String(target).slice(0, 200) });
    if (["mirror:front", "mirror:hidden", "mirror:large", "mirror:blocked"].includes(type)) {
      this.sending = this.sending.then(() => this.socket?.send({ type: type.slice(7) }));
    }
  }

  #look() {
    const { names, settings, cobrowsing, conversation } = this;
    const session = cobrowsing?.conversation === conversation && cobrowsing.is_on ? cobrowsing : null;
    if (names.length && this.isUp) this.tell("look", { names, settings, labels: settings.labels, session });
  }

  #listen() {
    const { conversation } = this;
    this.socket ??= connect({
      url: (settled) => this.session.socketUrl(`mirror/${conversation}/`, settled),
      onFrame: (frame) => this.#receive(frame),
      onOpen: () => {
        this.isUp = true;
        this.failures = 0;
        this.#look();
        // The page's policy may forbid the recorder.
        clearTimeout(this.loading);
        this.loading = setTimeout(() => this.isLoaded || this.socket?.send({ type: "blocked" }), LOAD_MS);
      },
      onDown: () => {
        this.isUp = false;
        this.tell("pause");
        this.failures += 1;
        // Nobody looks any more, and the frame that said so was lost.
        if (this.failures > GIVE_UP_AFTER) this.over();
      },
    });
  }

  #receive({ type, ms, ...said }) {
    if (type === "point" || type === "act") this.tell(type, { said });
    if (type === "snapshot" || type === "behind") this.tell(type);
    if (type === "slow") this.tell("slow", { ms: Number(ms) || 1000 });
  }

  /** In order, although the compression takes its time. */
  #send(events, isStart) {
    this.sending = this.sending.then(() => this.#pass(events, isStart)).catch(() => this.tell("snapshot"));
  }

  async #pass(events, isStart) {
    if (this.isFull && !isStart) return;
    const { bytes, isDeflated } = await deflated(JSON.stringify(events));
    if (!this.isUp) return;
    if (this.socket.waiting > WAITING_BYTES) return this.#wait();
    this.isFull = false;
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const part = bytes.subarray(at, at + CHUNK_BYTES);
      const frame = new Uint8Array(part.length + 1);
      const isFirst = at === 0;
      const isLast = at + CHUNK_BYTES >= bytes.length;
      frame[0] = (isFirst && isStart ? START : 0) | (isFirst ? FIRST : 0) | (isLast ? LAST : 0) | (isDeflated ? DEFLATED : 0);
      frame.set(part, 1);
      this.socket.sendBytes(frame);
    }
  }

  /** The network is slower than the page: drop frames, and begin again once it has caught up. */
  #wait() {
    if (this.isFull) return;
    this.isFull = true;
    const look = () => {
      if (!this.socket) return;
      if (this.socket.waiting > WAITING_BYTES / 4) return setTimeout(look, PATIENCE_MS);
      this.tell("snapshot");
    };
    setTimeout(look, PATIENCE_MS);
  }

  async #stop() {
    const { conversation } = this;
    this.names = [];
    this.over();
    if (conversation) await this.#insist(`conversations/${conversation}/mirror/stop/`);
  }

  /** Until the server has heard it. */
  async #insist(path) {
    for (let tries = 0; tries < 5; tries += 1) {
      const answer = await this.session.ask(path, {}).catch(() => null);
      if (answer && answer.status < 500) return;
      await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** tries));
    }
  }
}

async function deflated(text) {
  const blob = new Blob([text]);
  if (!globalThis.CompressionStream) return { bytes: new Uint8Array(await blob.arrayBuffer()), isDeflated: false };
  const stream = blob.stream().pipeThrough(new CompressionStream("deflate-raw"));
  return { bytes: new Uint8Array(await new Response(stream).arrayBuffer()), isDeflated: true };
}
