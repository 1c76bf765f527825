// The present conversation: its messages, its socket, and its events for the brand's page.

import { connect } from "../shared/socket.js";
import { VisitorThread } from "./visitor_thread.js";

export class Talk {
  /**
   * session, host
   * about()          the page's data for the first message
   * onChange()       messages, their states or the conversation changed
   * onMoved()        its state may have changed
   * onBegun()        the first message was accepted
   * onEnd()          the conversation was closed
   * onElsewhere()    something happened in another conversation
   * onTyping(isOn, name)
   * onHidden()       the history was hidden or shown again, perhaps in another tab or browser
   * onLinked()       conversations of another browser of the same person may have come
   * onMirror(conversation, names)   those who look at the visitor's page now
   * onCall(frame)    return whether the frame was about a call; onSocket(isUp)
   * onCobrowsing(conversation, session)   one of them asks to act on it, does so, or no longer does
   * onRejected(body, sentence, code), onRefused(code)  as in Thread
   */
  constructor({ session, host, ...handlers }) {
    Object.assign(this, { session, host, handlers });
    this.reset();
  }

  /** No conversation yet; what was not sent before is in the thread. The visitor may be another,
  unless *  the socket is still theirs. */
  reset({ keepsSocket = false } = {}) {
    if (!keepsSocket) this.socket?.stop();
    if (!keepsSocket) this.socket = null;
    this.thread?.stop();
    this.conversation = null;
    this.announcedSeq = 0;
    this.thread = this.#newThread();
  }

  #newThread() {
    const thread = new VisitorThread({
      startUrl: this.session.url("conversations/"),
      about: this.handlers.about,
      headers: this.session.headers,
      inTurn: (ask) => this.session.turns.beside(ask),
      store: this.session.unsent,
      onBegun: (conversation) => this.#begin(conversation),
      onChange: () => thread === this.thread && this.#changed(),
      onState: ({ conversation }) => this.#move(conversation),
      onRejected: this.handlers.onRejected,
      onRefused: this.handlers.onRefused,
    });
    return thread;
  }

  get isOpen() {
    return this.conversation !== null && this.conversation.status !== "closed";
  }

  get isOver() {
    return this.conversation?.status === "closed";
  }

  /** The server has returned `conversation`: it is the present one from now on. */
  take(conversation) {
    if (this.conversation?.id === conversation.id) return;
    this.#adopt(conversation, conversation.last_seq);
    this.thread.sync();
  }

  tellTyping(isOn) {
    if (!this.conversation) return;
    this.socket?.send({ type: "typing", conversation: this.conversation.id, on: isOn });
  }

  send(frame) {
    this.socket?.send(frame);
  }

  #begin(conversation) {
    this.handlers.onBegun();
    if (this.conversation?.id === conversation.id) return;
    const isHeard = this.socket !== null;
    this.#adopt(conversation, 0);
    if (isHeard) this.thread.sync(); // Frames about it may have come before we knew it.
    this.host.event("conversation:started", { conversation: conversation.id });
  }

  #adopt(conversation, announcedSeq) {
    this.conversation = conversation;
    this.announcedSeq = announcedSeq;
    const path = `conversations/${conversation.id}/`;
    this.thread.messagesUrl = this.session.url(`${path}messages/`);
    this.thread.readUrl = this.session.url(`${path}read/`);
    this.thread.skipTo(conversation.hidden_seq);
    this.thread.receiveRead({ by: "visitor", seq: conversation.read_by_me });
    if (this.isOpen) this.listen();
  }

  /** Open the socket; before a conversation too: another tab may start one, or hide them all. */
  listen({ isAgain = false } = {}) {
    let wasOpen = false;
    this.socket ??= connect({
      url: (settled) => this.session.socketUrl("", settled),
      onFrame: (frame) => this.#receive(frame),
      onDown: () => this.handlers.onSocket(false),
      onOpen: () => {
        if (this.conversation) this.thread.sync();
        else if (wasOpen) this.handlers.onHidden(); // Something may have come meanwhile.
        if (isAgain && !wasOpen) this.handlers.onLinked();
        this.handlers.onSocket(true);
        wasOpen = true;
      },
    });
  }

  /** Another browser is the same person's: a new socket hears of its conversations, too. */
  #listenAgain() {
    this.socket?.stop();
    this.socket = null;
    this.listen({ isAgain: true });
  }

  #receive(frame) {
    if (frame.type === "person" && !this.session.guest) return this.#listenAgain();
    if (this.handlers.onCall(frame)) return;
    if (frame.type === "mirror") return this.handlers.onMirror(frame.conversation, frame.names);
    if (frame.type === "cobrowsing") return this.handlers.onCobrowsing(frame.conversation, frame.session);
    if (frame.type === "history") this.handlers.onHidden(frame.hidden);
    if (frame.conversation !== this.conversation?.id) return this.#overhear(frame);
    if (frame.type === "message") this.thread.receive(frame.message);
    if (frame.type === "message") this.#answered(frame.message);
    if (frame.type === "translation") this.thread.receiveTranslation(frame.translation);
    if (frame.type === "read") this.thread.receiveRead(frame);
    if (frame.type === "typing") this.handlers.onTyping(frame.on, frame.name);
    if (frame.type === "state") this.thread.sync();
  }

  /** After an agent's first message they are talking, while before they had only received it. */
  #answered({ author }) {
    if (author !== "visitor") this.handlers.onTyping(false);
    if (author === "agent" && this.conversation.agent?.part !== "talking") this.thread.sync();
  }

  /** A frame about another open conversation of the same person. */
  #overhear({ type }) {
    if (["message", "read", "state"].includes(type)) this.handlers.onElsewhere();
  }

  #move(conversation) {
    const wasOver = this.isOver;
    const { hidden_seq: hiddenBefore } = this.conversation;
    this.conversation = conversation;
    if (conversation.hidden_seq !== hiddenBefore) this.handlers.onHidden();
    if (this.isOver && !wasOver) this.#end();
    this.handlers.onMoved();
    this.handlers.onChange();
  }

  #end() {
    this.thread.rest();
    this.handlers.onTyping(false);
    this.host.event("conversation:ended", { conversation: this.conversation.id });
    this.handlers.onEnd();
  }

  #changed() {
    const news = this.thread.messages.filter(({ seq }) => seq > this.announcedSeq);
    for (const { author, seq } of news) {
      const name = author === "visitor" ? "message:sent" : "message:received";
      this.host.event(name, { conversation: this.conversation.id, seq, author });
    }
    this.announcedSeq = Math.max(this.announcedSeq, this.thread.lastSeq);
    this.handlers.onChange();
  }
}
