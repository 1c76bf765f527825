// The Messenger in its iframe: greeting, consent, conversation, survey (C9), in that order.

import { connect } from "../shared/socket.js";
import { Thread } from "../shared/thread.js";
import { Attached } from "./attached.js";
import { Composer } from "./composer.js";
import { Dialogue } from "./dialogue.js";
import { Email } from "./email.js";
import { byId, element, initials, linked } from "./elements.js";
import { History } from "./history.js";
import { Host } from "./host.js";
import { Room } from "./room.js";
import { Session } from "./session.js";
import { Survey } from "./survey.js";

const TYPING_GONE_MS = 6000;
const LONGEST_WAIT_MS = 15_000;
const NEAR_END = 80;

/** A thread whose first text begins the conversation. */
class VisitorThread extends Thread {
  constructor({ startUrl, about, onBegun, ...options }) {
    super({ ...options, me: "visitor" });
    Object.assign(this, { startUrl, about, onBegun });
  }

  async post(item) {
    if (this.messagesUrl) return super.post(item);
    const first = { client_id: item.id, body: item.body, ...this.about() };
    const response = await this.request(this.startUrl, first);
    if (response.ok) this.onBegun((await response.clone().json()).conversation);
    return response;
  }
}

class Messenger {
  constructor(config) {
    this.config = config;
    this.strings = config.strings;
    this.engagement = null; // Until the page, or the server, has said it.
    this.session = new Session(config);
    this.conversation = null;
    this.past = [];
    this.socket = null;
    this.announcedSeq = 0;
    this.isAtEnd = true;
    this.wantsToSend = false;
    this.isUnreachable = false;
    this.hasThanked = false;
    this.host = new Host({
      open: () => this.open(),
      minimize: () => this.minimize(),
      offer: (answer) => this.offered(answer),
      link: (word) => this.follow(word),
    });
    this.room = new Room({
      session: this.session,
      config,
      view: () => this.host.about(config.language),
      onAnswer: (answer) => this.offered(answer),
      onRoom: () => this.tellRoom(),
    });
    this.isOpen = this.host.isAlone;
    const attached = new Attached({ session: this.session, strings: this.strings });
    this.dialogue = new Dialogue(byId("dialogue"), config, attached);
    this.history = new History(this.session, config, attached);
    this.composer = new Composer({
      session: this.session,
      onSend: (text) => this.send(text),
      onFile: (attachment) => this.thread.send("", attachment),
      onTyping: (isOn) => this.tellTyping(isOn),
      fileUrl: (id) => this.fileUrl(id),
      strings: this.strings,
      limit: config.upload_limit,
    });
    this.survey = new Survey({
      strings: this.strings,
      onSend: (answers) => this.answerSurvey(answers),
      onDismiss: () => this.dismissSurvey(),
    });
    this.email = new Email({
      session: this.session,
      strings: this.strings,
      isOffered: config.email,
      onChange: () => this.render(),
    });
    this.thread = this.newThread();
    this.listen();
  }

  async start() {
    this.render();
    if (this.host.isAlone) this.room.ask().then((answer) => answer ?? this.offered({}));
    if (this.session.isForbidden && !this.host.isAlone) await this.borrow();
    if (this.session.isKnown) this.loading = this.load();
    await this.loading;
    this.tellStay();
    const word = this.host.isAlone && /#causerie=([\w.:-]+)/.exec(location.hash)?.[1];
    if (word) await this.follow(word);
  }

  /** By the link of a mail: its conversation, or its survey, whatever this browser knows (C11). */
  async follow(word) {
    await this.loading;
    let answer;
    try {
      answer = await this.session.ask("state/", undefined, word);
    } catch {
      this.composer.complain(this.strings.failed);
      return;
    }
    if (!answer.ok) {
      if (!this.conversation) this.composer.hint(this.strings.link_over);
      return;
    }
    const { visitor, conversation } = answer.data;
    const isMine = this.visitorId === visitor.id;
    this.session.guest = isMine ? null : word;
    this.session.undismiss(conversation.id);
    if (this.conversation?.id !== conversation.id) this.reset();
    if (isMine) this.showOne(conversation);
    else this.loaded(answer.data);
    this.tellStay();
    this.scrollToEnd();
  }

  showOne(conversation) {
    if (this.conversation?.id !== conversation.id) {
      this.adopt(conversation, conversation.last_seq);
      this.thread.sync();
    }
    this.render();
  }

  async borrow() {
    const lend = (name, value) => this.host.tell("keep", { name, value });
    this.session.borrow(await this.host.kept, lend);
    this.thread.stop();
    this.thread = this.newThread(); // With what was not sent on the page before.
    this.render();
  }

  listen() {
    byId("minimize").hidden = this.host.isAlone;
    byId("minimize").addEventListener("click", () => this.host.tell("minimize"));
    byId("accept").addEventListener("click", () => this.consent());
    byId("decline").addEventListener("click", () => this.host.tell("minimize"));
    byId("restart").addEventListener("click", () => this.restart());
    byId("newer").addEventListener("click", () => this.scrollToEnd());
    byId("scroller").addEventListener("scroll", () => this.noteScroll(), { passive: true });
    new ResizeObserver(() => this.isAtEnd && this.scrollToEnd()).observe(byId("scroller"));
    addEventListener("keydown", (event) => {
      if (document.querySelector("dialog[open]")) return; // Escape is for that one then.
      if (event.key === "Escape" && !event.isComposing) this.host.tell("minimize");
    });
    addEventListener("online", () => this.render());
    addEventListener("offline", () => this.render());
    document.addEventListener("visibilitychange", () => this.render());
  }

  // --- The server ---------------------------------------------------------------------------

  newThread() {
    return new VisitorThread({
      startUrl: this.session.url("conversations/"),
      about: () => ({
        page_url: this.host.page,
        view: this.host.about(this.config.language),
        targeting: this.engagement?.targeting,
      }),
      headers: this.session.headers,
      store: this.session.unsent,
      onBegun: (conversation) => this.begin(conversation),
      onChange: (thread) => thread === this.thread && this.changed(),
      onState: ({ conversation }) => this.move(conversation),
      onRejected: (body, sentence, code) => this.reject(body, sentence, code),
      onRefused: (code) => this.refused(code),
    });
  }

  /** Ask the server who we are, until it answers. */
  async load() {
    for (let failures = 0; ; failures += 1) {
      try {
        const { ok, status, data } = await this.session.ask("state/");
        if (status === 401) return this.forgetToken();
        if (ok) return this.loaded(data);
      } catch {
        this.isUnreachable = true;
        this.render();
      }
      const wait = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures);
      await new Promise((resolve) => {
        setTimeout(resolve, wait);
        addEventListener("online", resolve, { once: true });
      });
    }
  }

  loaded({ conversation, history, visitor, guest, email }) {
    this.isUnreachable = false;
    if (!guest) this.visitorId = visitor.id;
    this.email.receive(email);
    this.past = history;
    // A survey that was not answered is offered again at the next visit (C42).
    const last = history.find(({ survey, id }) => survey && !this.isDismissed(id));
    const present = conversation ?? (last === history[0] ? last : null);
    // A text that waited for the line may have begun it while we asked.
    if (present && this.conversation?.id !== present.id) {
      this.adopt(present, present.last_seq);
      this.thread.sync();
    }
    this.render();
  }

  begin(conversation) {
    this.room.stop();
    if (this.conversation?.id === conversation.id) return;
    this.adopt(conversation, 0);
    this.host.event("conversation:started", { conversation: conversation.id });
  }

  adopt(conversation, announcedSeq) {
    this.conversation = conversation;
    this.announcedSeq = announcedSeq;
    const path = `conversations/${conversation.id}/`;
    this.thread.messagesUrl = this.session.url(`${path}messages/`);
    this.thread.readUrl = this.session.url(`${path}read/`);
    this.thread.receiveRead({ by: "visitor", seq: conversation.read_by_me });
    if (conversation.status !== "closed") this.listenLive();
  }

  listenLive() {
    this.socket ??= connect({
      url: () => this.session.socketUrl(),
      onFrame: (frame) => this.receive(frame),
      onOpen: () => this.thread.sync(),
    });
  }

  receive(frame) {
    if (frame.conversation !== this.conversation?.id) return;
    if (frame.type === "message") this.thread.receive(frame.message);
    if (frame.type === "message" && frame.message.author !== "visitor") this.showTyping(false);
    if (frame.type === "read") this.thread.receiveRead(frame);
    if (frame.type === "typing") this.showTyping(frame.on, frame.name);
    if (frame.type === "state") this.thread.sync();
  }

  move(conversation) {
    const wasOver = this.conversation?.status === "closed";
    this.conversation = conversation;
    if (conversation.status === "closed" && !wasOver) this.end();
    this.tellStay();
    this.render();
  }

  end() {
    this.socket?.stop();
    this.socket = null;
    this.thread.rest();
    this.showTyping(false);
    this.host.event("conversation:ended", { conversation: this.conversation.id });
    this.refreshHistory();
    this.room.ask();
  }

  async refreshHistory() {
    try {
      const { ok, data } = await this.session.ask("state/");
      if (!ok) return;
      this.past = data.history;
      this.render();
    } catch {
      this.past = []; // The next visit asks again.
    }
  }

  offered(answer) {
    this.engagement = answer;
    this.render();
  }

  /** The last place went meanwhile. The text is back in the box; what can be told is told (B4). */
  async watchRoom(sentence) {
    const answer = await this.room.ask();
    this.offered({ ...answer, engage: false }); // We know better than an answer of a moment ago.
    const more = this.room.reopening(answer ?? {}) || this.strings.room_watched;
    this.composer.complain(`${sentence} ${more}`);
    this.room.wait();
  }

  tellRoom() {
    this.composer.hint(this.strings.room_again);
    this.host.tell("nudge", { text: this.strings.room_again });
  }

  reject(body, sentence, code) {
    if (code === "token") this.forgetToken();
    if (code === "closed") this.thread.sync();
    this.composer.restore(body);
    this.composer.complain(sentence || this.strings.rejected);
    if (code === "no_room") this.watchRoom(sentence);
  }

  refused(code) {
    if (code === "token" || code === "not_found") this.forgetToken();
  }

  /** The server does not know us any more: begin again, with consent; what was written stays. */
  forgetToken() {
    this.composer.restore(this.thread.pending.map(({ body }) => body).filter(Boolean).join("\n"));
    this.session.unsent.save([]);
    this.past = [];
    this.history.forget();
    this.email.receive(null);
    if (this.session.guest) {
      this.leaveLink();
      return;
    }
    this.session.token = null;
    this.reset();
  }

  /** Back from a mail's conversation to what this browser knows itself. */
  leaveLink() {
    this.session.guest = null;
    this.reset();
    if (this.session.token) this.load();
  }

  reset() {
    this.socket?.stop();
    this.socket = null;
    this.thread.stop();
    this.conversation = null;
    this.hasThanked = false;
    this.thread = this.newThread();
    this.tellStay();
    this.render();
  }

  // --- What the visitor does ------------------------------------------------------------------

  open() {
    this.isOpen = true;
    this.render();
    if (this.isAtEnd) this.scrollToEnd();
    this.composer.focus();
  }

  minimize() {
    this.isOpen = false;
    this.render();
  }

  send(text) {
    if (!this.session.isKnown) {
      this.wantsToSend = true;
      this.composer.hint(this.strings.consent_first);
      this.scrollToEnd();
      byId("accept").focus();
      return;
    }
    this.composer.clear();
    this.isAtEnd = true;
    this.thread.send(text);
    this.tellStay();
  }

  /** Where a file goes: there must be a conversation for it, and it must not be over. */
  fileUrl(id) {
    const { id: conversation, status } = this.conversation ?? {};
    if (!conversation || status === "closed") return null;
    return this.session.url(`conversations/${conversation}/attachments/${id}/`);
  }

  async consent() {
    const button = byId("accept");
    const problem = byId("consent-problem");
    button.disabled = true;
    problem.hidden = true;
    try {
      const { language, consent } = this.config;
      const { ok, data } = await this.session.ask("visitors/", { language, consent });
      if (ok) this.consented(data.token);
      else problem.textContent = data.error?.message ?? this.strings.failed;
      problem.hidden = ok;
    } catch {
      problem.textContent = this.strings.failed;
      problem.hidden = false;
    }
    button.disabled = false;
  }

  consented(token) {
    this.session.token = token;
    this.tellStay();
    this.composer.complain("");
    this.render();
    this.composer.focus();
    if (this.wantsToSend) this.composer.form.requestSubmit();
    this.wantsToSend = false;
  }

  async answerSurvey(answers) {
    const { id } = this.conversation;
    try {
      const { ok, status, data } = await this.session.ask(`conversations/${id}/survey/`, answers);
      // 409: answered in another tab. Either way there is nothing left to ask.
      if (!ok && status !== 409) return data.error?.message ?? this.strings.failed;
    } catch {
      return this.strings.failed;
    }
    this.conversation.survey = false;
    this.hasThanked = true;
    this.host.event("survey:answered", { conversation: id, csat: answers.csat, nps: answers.nps });
    this.tellStay();
    this.render();
    this.scrollToEnd();
    return "";
  }

  dismissSurvey() {
    this.session.dismiss(this.conversation.id);
    this.tellStay();
    this.render();
  }

  restart() {
    if (this.session.guest) this.leaveLink();
    else this.reset();
    this.composer.focus();
  }

  tellTyping(isOn) {
    if (!this.conversation) return;
    this.socket?.send({ type: "typing", conversation: this.conversation.id, on: isOn });
  }

  // --- What is shown --------------------------------------------------------------------------

  changed() {
    const news = this.thread.messages.filter(({ seq }) => seq > this.announcedSeq);
    for (const { author, seq } of news) {
      const name = author === "visitor" ? "message:sent" : "message:received";
      this.host.event(name, { conversation: this.conversation.id, seq, author });
    }
    this.announcedSeq = Math.max(this.announcedSeq, this.thread.lastSeq);
    this.render();
  }

  isDismissed(id) {
    return this.session.dismissed.includes(id);
  }

  get surveyWaits() {
    const { status, survey, id } = this.conversation ?? {};
    return Boolean(survey) && ["closed", "solved"].includes(status) && !this.isDismissed(id);
  }

  /** Whether the reduced Messenger must be there on the next page (R16, C12). */
  tellStay() {
    const isOpen = this.conversation !== null && this.conversation.status !== "closed";
    const stay = isOpen || this.surveyWaits || this.thread.pending.length > 0;
    this.host.tell("stay", { stay, known: this.session.token !== null });
  }

  render() {
    const isSeen = this.isOpen && document.visibilityState === "visible";
    const isOver = this.conversation?.status === "closed";
    const wasAtEnd = this.isAtEnd;
    const before = this.thread.messages.length - (this.shownCount ?? 0);
    this.showHead();
    this.showDialogue();
    this.showConsent();
    this.showWaiting();
    this.email.show(this.conversation);
    this.showSurvey(isSeen);
    this.showOver(isOver);
    this.composer.isHidden = isOver;
    this.composer.mayAttach = this.fileUrl("") !== null;
    this.showOffline();
    if (isSeen) this.thread.markRead();
    this.tellUnread(isSeen);
    if (wasAtEnd) this.scrollToEnd();
    else if (before > 0) byId("newer").hidden = false;
    this.shownCount = this.thread.messages.length;
  }

  showHead() {
    const { status, agent } = this.conversation ?? {};
    const who = byId("who");
    const isTaken = agent && status !== "closed";
    const shown = isTaken ? agent.name : this.absentLine(status);
    if (who.dataset.shown === shown) return;
    who.dataset.shown = shown;
    if (!isTaken) return who.replaceChildren(shown);
    const avatar = element("span", { className: "mini-avatar" }, initials(agent.name));
    avatar.setAttribute("aria-hidden", "true");
    who.replaceChildren(avatar, element("strong", {}, agent.name), ` ${this.strings.talking_with}`);
  }

  absentLine(status) {
    if (status === "closed") return this.strings.ended;
    if (!this.conversation && this.engagement?.engage === false) return this.busyLine();
    const { asynchronous } = this.conversation ?? this.engagement ?? {};
    if (asynchronous === undefined) return "";
    return asynchronous ? this.strings.usually_hours : this.strings.usually_now;
  }

  busyLine() {
    if (this.engagement.reason !== "closed") return this.strings.busy;
    return this.room.reopening(this.engagement) || this.strings.closed_now;
  }

  showDialogue() {
    const { asynchronous } = this.conversation ?? this.engagement ?? {};
    const { texts } = this.config;
    const { messages, pending, otherRead } = this.thread;
    // A reason to say "in a few hours" unless somebody is surely there (C8).
    const isLive = asynchronous === false;
    const isKnown = this.conversation !== null || this.engagement !== null;
    const greeting = isKnown ? (isLive ? texts.greeting_live : texts.greeting_async) : "";
    const conversation = this.conversation?.id;
    this.dialogue.show({ messages, pending, otherRead, greeting, conversation });
    this.history.show(this.past.filter(({ id }) => id !== this.conversation?.id));
  }

  showConsent() {
    const card = byId("consent");
    const isAsked = !this.session.isKnown;
    if (isAsked && card.hidden) {
      const text = linked(this.config.texts.consent, this.strings.link_opens);
      byId("consent-text").replaceChildren(...text);
    }
    byId("decline").hidden = this.host.isAlone;
    card.hidden = !isAsked;
  }

  showWaiting() {
    const { status, place } = this.conversation ?? {};
    const note = byId("waiting");
    const isWaiting = status === "waiting";
    let line = this.strings.waiting;
    if (place) line += ` ${place === 1 ? this.strings.place_first : this.strings.place}`;
    line = line.replace("{n}", place);
    if (isWaiting && note.textContent !== line) note.textContent = line;
    note.hidden = !isWaiting;
  }

  showSurvey(isSeen) {
    const wasShown = this.survey.isShown;
    if (wasShown !== this.surveyWaits) this.survey.isShown = this.surveyWaits;
    const { id } = this.conversation ?? {};
    if (!this.surveyWaits || !isSeen || this.surveySeen === id) return;
    this.surveySeen = id;
    this.host.event("survey:shown", { conversation: id });
  }

  showOver(isOver) {
    const isShown = isOver ? !this.surveyWaits : this.hasThanked;
    const { texts } = this.config;
    byId("over").hidden = !isShown;
    const mayRestart = this.engagement?.engage === true;
    byId("restart").hidden = !isOver || !mayRestart;
    if (!isShown) return;
    let line = this.hasThanked ? texts.survey_thanks : texts.over;
    if (isOver && this.engagement?.engage === false) {
      line += ` ${this.room.reopening(this.engagement) || this.strings.no_engagement}`;
    }
    if (byId("over-text").textContent !== line) byId("over-text").textContent = line;
  }

  showOffline() {
    const banner = byId("offline");
    const isOffline = this.isUnreachable || this.thread.isCut || navigator.onLine === false;
    if (isOffline) banner.textContent = this.strings.offline;
    banner.hidden = !isOffline;
  }

  showTyping(isOn, typist) {
    const name = typist || this.conversation?.agent?.name || this.config.brand;
    clearTimeout(this.typingTimer);
    byId("typing").hidden = !isOn;
    byId("typing-name").textContent = isOn ? this.strings.typing.replace("{name}", name) : "";
    if (!isOn) return;
    this.typingTimer = setTimeout(() => this.showTyping(false), TYPING_GONE_MS);
    if (this.isAtEnd) this.scrollToEnd();
  }

  tellUnread(isSeen) {
    const unread = isSeen ? 0 : this.thread.unread;
    if (unread === this.toldUnread) return;
    this.toldUnread = unread;
    this.host.tell("unread", { unread });
  }

  noteScroll() {
    const { scrollTop, scrollHeight, clientHeight } = byId("scroller");
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.isAtEnd) byId("newer").hidden = true;
  }

  scrollToEnd() {
    const scroller = byId("scroller");
    scroller.scrollTop = scroller.scrollHeight;
    this.isAtEnd = true;
    byId("newer").hidden = true;
  }
}

const config = JSON.parse(byId("config").textContent);
// Set here, not in the page: its policy allows no style attribute.
document.documentElement.style.setProperty("--accent", config.accent);
document.documentElement.style.setProperty("--on-accent", config.on_accent);
new Messenger(config).start();
