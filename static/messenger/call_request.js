// A visitor asks for a call before there is a conversation: the first message, on a channel of calls. If
// an agent is free it rings there at once; otherwise an agent calls back.

import { byId } from "./elements.js";

const KINDS = ["call", "video"];
const AT_ONCE_MS = 10_000; // A free agent has the conversation by then.

export class CallRequest {
  asked = null; // {kind, until}: it was sent, and rings at once if somebody has it by then.
  wanted = null; // The kind, while consent is asked.
  offer = {}; // By kind: "now" or "later".

  /** strings; mayAsk(): consent is given, otherwise it is asked now; send(text): the first message;
   *  ring(withVideo): at the agent */
  constructor({ strings, mayAsk, send, ring }) {
    Object.assign(this, { strings, mayAsk, send, ring });
    for (const kind of KINDS) byId(`ask-${kind}`).addEventListener("click", () => this.ask(kind));
  }

  /** What the first message says of its channel. */
  get about() {
    return this.asked ? { channel: this.asked.kind } : {};
  }

  ask(kind) {
    this.wanted = kind;
    if (!this.mayAsk()) return;
    this.wanted = null;
    const isFree = this.offer[kind] === "now";
    this.asked = { kind, until: isFree ? Date.now() + AT_ONCE_MS : 0 };
    this.send(this.strings[`${kind}_request`]);
  }

  /** Consent was given. */
  resume() {
    if (this.wanted) this.ask(this.wanted);
  }

  /** The request was refused; return whether `body` is our own text, which nobody wants back. */
  refused(body) {
    const isOurs = this.asked !== null && KINDS.some((kind) => this.strings[`${kind}_request`] === body);
    this.asked = null;
    return isOurs;
  }

  show(conversation, engagement) {
    if (!conversation) this.offer = engagement?.calls ?? {};
    const offer = conversation ? {} : this.offer;
    byId("ask-calls").hidden = !KINDS.some((kind) => offer[kind]);
    for (const kind of KINDS) {
      byId(`ask-${kind}`).hidden = !offer[kind];
      const text = this.strings[`${kind}_${offer[kind]}`] ?? "";
      const label = byId(`ask-${kind}-text`);
      if (label.textContent !== text) label.textContent = text;
    }
    if (conversation?.status !== "active" || !this.asked) return;
    const { kind, until } = this.asked;
    this.asked = null;
    if (conversation.channel === kind && Date.now() < until) this.ring(kind === "video");
  }
}
