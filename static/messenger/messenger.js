// The Messenger in its iframe: greeting, consent, conversation, survey (C9), in that order.

import { Attached } from "./attached.js";
import { Composer } from "./composer.js";
import { Consent } from "./consent.js";
import { Dialogue } from "./dialogue.js";
import { Email } from "./email.js";
import { byId } from "./elements.js";
import { History } from "./history.js";
import { Host } from "./host.js";
import { Identity } from "./identity.js";
import { News } from "./news.js";
import { Pages } from "./pages.js";
import { answerId } from "./offered.js";
import { Privacy } from "./privacy.js";
import { Room } from "./room.js";
import { Scroll } from "./scroll.js";
import { Session } from "./session.js";
import { Sound } from "./sound.js";
import { Survey } from "./survey.js";
import { Tabs } from "./tabs.js";
import { Talk } from "./talk.js";
import { View } from "./view.js";

const LONGEST_WAIT_MS = 15_000;

class Messenger {
  constructor(config) {
    this.config = config;
    this.strings = config.strings;
    this.engagement = null; // Until the page, or the server, has said it.
    this.session = new Session(config);
    this.past = [];
    this.wantsToSend = false;
    this.wasSeen = false;
    this.isUnreachable = false;
    this.host = new Host({
      open: () => this.open(),
      minimize: () => this.minimize(),
      offer: (answer) => this.offered(answer),
      page: () => this.pages.tell(),
      link: (word) => this.follow(word),
      identify: (token) => this.identity.receive(token, this.loading),
      logout: () => this.logout(),
    });
    this.identity = new Identity({
      session: this.session,
      host: this.host,
      language: config.language,
      onKnown: () => this.renew(),
      onForeign: () => this.forgetToken(),
    });
    this.privacy = new Privacy({
      session: this.session,
      strings: this.strings,
      onChange: (what) => this.decided(what),
    });
    this.tabs = new Tabs({ website: config.website, onNews: () => this.catchUp() });
    this.sound = new Sound(this.session);
    this.pages = new Pages({ session: this.session, host: this.host, language: config.language });
    this.room = new Room({
      session: this.session,
      config,
      view: () => this.host.about(config.language),
      onAnswer: (answer) => this.offered(answer),
      onRoom: () => this.tellRoom(),
    });
    this.isOpen = this.host.isAlone;
    this.scroll = new Scroll({ strings: this.strings, onEnd: () => this.render() });
    this.view = new View({
      config,
      room: this.room,
      onTyping: () => this.scroll.isAtEnd && this.scroll.toEnd(),
    });
    this.consent = new Consent({
      session: this.session,
      config,
      mayDecline: !this.host.isAlone,
      proof: async () => {
        await this.host.heard;
        return this.identity.proven();
      },
      onGiven: (given) => this.consented(given),
    });
    const attached = new Attached({ session: this.session, strings: this.strings });
    this.dialogue = new Dialogue(byId("dialogue"), config, attached, (id, text) => this.choose(id, text));
    this.history = new History(this.session, config, attached);
    this.composer = new Composer({
      session: this.session,
      onSend: (text) => this.send(text),
      onFile: (attachment) => this.thread.send("", attachment),
      onTyping: (isOn) => this.talk.tellTyping(isOn),
      fileUrl: (id) => this.fileUrl(id),
      strings: this.strings,
      limit: config.upload_limit,
    });
    this.survey = new Survey({
      session: this.session,
      host: this.host,
      strings: this.strings,
      isOn: config.survey.length > 0,
      onDone: () => this.surveyed(),
    });
    this.email = new Email({
      session: this.session,
      strings: this.strings,
      isOffered: config.email,
      onChange: () => this.render(),
    });
    this.talk = new Talk({
      session: this.session,
      host: this.host,
      about: () => ({
        page_url: this.host.page,
        view: this.host.about(config.language),
        targeting: this.engagement?.targeting,
      }),
      onChange: () => this.render(),
      onMoved: () => this.tellStay(),
      onBegun: () => {
        this.room.stop();
        this.tabs.tell();
      },
      onEnd: () => this.ended(),
      onTyping: (isOn, name) => this.view.showTyping(isOn, name),
      onRejected: (body, sentence, code) => this.reject(body, sentence, code),
      onRefused: (code) => this.refused(code),
    });
    this.listen();
  }

  get conversation() {
    return this.talk.conversation;
  }

  get thread() {
    return this.talk.thread;
  }

  async start() {
    const { rehearsal } = this.config;
    if (rehearsal) return (await import(rehearsal.script)).rehearse(this, rehearsal);
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
    if (!conversation) return; // Hidden since by who was written to.
    const isMine = this.visitorId === visitor.id;
    this.session.guest = isMine ? null : word;
    this.session.undismiss(conversation.id);
    if (this.conversation?.id !== conversation.id) this.reset();
    if (isMine) this.talk.take(conversation);
    else this.loaded(answer.data);
    this.render();
    this.tellStay();
    this.scroll.toEnd();
  }

  async borrow() {
    const lend = (name, value) => this.host.tell("keep", { name, value });
    this.session.borrow(await this.host.kept, lend);
    this.talk.reset(); // With what was not sent on the page before.
    this.render();
  }

  listen() {
    byId("minimize").hidden = this.host.isAlone;
    byId("minimize").addEventListener("click", () => this.host.tell("minimize"));
    byId("decline").addEventListener("click", () => this.host.tell("minimize"));
    byId("restart").addEventListener("click", () => this.restart());
    addEventListener("keydown", (event) => {
      if (document.querySelector("dialog[open]")) return; // Escape is for that one then.
      if (event.key === "Escape" && !event.isComposing) this.host.tell("minimize");
    });
    addEventListener("online", () => this.render());
    addEventListener("offline", () => this.render());
    document.addEventListener("visibilitychange", () => this.render());
  }

  // --- The server ---------------------------------------------------------------------------

  /** Ask the server who we are, until it answers. */
  async load() {
    this.shownToken = this.session.token;
    for (let failures = 0; ; failures += 1) {
      try {
        const { ok, status, data } = await this.session.ask("state/");
        if (status === 401) return await this.forgetToken();
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

  /** Another tab agreed, began, answered or left: this one is brought to the same state. */
  async catchUp() {
    if (this.session.guest) return;
    await this.loading;
    if (!this.session.token) {
      if (this.shownToken) this.forgetToken();
      this.shownToken = null;
      return;
    }
    if (this.talk.isOver) this.talk.thread.sync(); // Its survey was answered there, perhaps.
    this.loading = this.load();
  }

  loaded({ conversation, history, visitor, guest, email, privacy }) {
    this.isUnreachable = false;
    this.privacy.receive(privacy);
    this.consent.standing = privacy?.consent ?? null;
    if (!guest) this.visitorId = visitor.id;
    this.email.receive(email);
    this.past = history;
    // A survey that was not answered is offered again at the next visit (C42).
    const last = history.find(({ survey, id }) => survey && !this.session.dismissed.includes(id));
    const present = conversation ?? (last === history[0] ? last : null);
    // A text that waited for the line may have begun it while we asked.
    if (present) this.talk.take(present);
    this.render();
  }

  ended() {
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
    if (code === "conflict") return this.thread.sync(); // Another tab has pressed another choice.
    if (code === "token") this.forgetToken();
    if (code === "closed") this.thread.sync();
    if (code === "consent" && this.session.token) this.load(); // The text has changed meanwhile.
    this.composer.restore(body);
    this.composer.complain(sentence || this.strings.rejected);
    if (code === "no_room") this.watchRoom(sentence);
  }

  refused(code) {
    if (code === "token" || code === "not_found") this.forgetToken();
  }

  /** This browser is somebody else, or somebody known, now: as another tab may have told. */
  renew() {
    this.reset();
    this.history.forget();
    this.loading = this.load();
    this.pages.tell();
    return this.loading;
  }

  /** The customer has left the brand's site: nothing of him stays here. */
  async logout() {
    await this.loading;
    this.identity.forget();
    if (!this.privacy.isIdentified || this.session.guest) return;
    try {
      await this.session.ask("logout/", {});
    } finally {
      this.session.draft = "";
      this.forgetToken();
      this.tabs.tell();
    }
  }

  /** The server does not know us any more: begin again, with consent; what was written stays. */
  forgetToken() {
    // Another tab was told who we are meanwhile, and has a newer token for all of us.
    const { token, guest } = this.session;
    if (!guest && token && token !== this.shownToken) return this.renew();
    this.composer.restore(this.thread.pending.map(({ body }) => body).filter(Boolean).join("\n"));
    this.session.unsent.forget();
    this.past = [];
    this.history.forget();
    this.email.receive(null);
    this.privacy.receive(null);
    this.consent.standing = null;
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
    this.talk.reset();
    this.survey.forget();
    this.tellStay();
    this.render();
  }

  // --- What the visitor does ------------------------------------------------------------------

  open() {
    this.isOpen = true;
    this.render();
    this.composer.focus();
  }

  minimize() {
    this.isOpen = false;
    this.render();
  }

  send(text) {
    if (this.consent.isAsked) {
      this.wantsToSend = true;
      this.composer.hint(this.strings.consent_first);
      this.scroll.toEnd();
      byId("accept").focus();
      return;
    }
    this.composer.clear();
    this.scroll.isAtEnd = true;
    this.thread.send(text);
    this.tellStay();
  }

  /** One of the choices that a message offers becomes the visitor's own words. */
  choose(id, text) {
    this.scroll.isAtEnd = true;
    this.thread.send(text, null, answerId(id));
  }

  /** Where a file goes: there must be a conversation for it, and it must not be over. */
  fileUrl(id) {
    if (!this.talk.isOpen || !this.config.files) return null;
    return this.session.url(`conversations/${this.conversation.id}/attachments/${id}/`);
  }

  /** `token` is told to who is new, `privacy` to who agrees once more. */
  async consented({ token, visitor, privacy }) {
    if (token) {
      this.session.token = token;
      this.visitorId = visitor;
      this.pages.tell();
      this.tabs.tell();
      this.loading = this.load(); // A known customer has a past.
      await this.loading;
    } else {
      this.privacy.receive(privacy);
      this.consent.standing = privacy.consent;
    }
    this.tellStay();
    this.composer.complain("");
    this.render();
    this.composer.focus();
    if (this.wantsToSend) this.composer.form.requestSubmit();
    this.wantsToSend = false;
  }

  /** History was hidden or shown, or consent withdrawn. */
  decided(what) {
    this.consent.standing = this.privacy.value.consent;
    if (what === "history") this.renew();
    else this.email.receive(null);
    this.render();
  }

  surveyed() {
    this.tabs.tell();
    this.tellStay();
    this.render();
    if (this.survey.hasThanked) this.scroll.toEnd();
  }

  restart() {
    if (this.session.guest) this.leaveLink();
    else this.reset();
    this.composer.focus();
  }

  // --- What is shown --------------------------------------------------------------------------

  /** Whether the reduced Messenger must be there on the next page (R16, C12). */
  tellStay() {
    const stay = this.talk.isOpen || this.survey.waitsFor(this.conversation) || this.thread.pending.length > 0;
    const known = this.session.token !== null;
    this.host.tell("stay", { stay, known });
    // By it the page says who bought (R63).
    this.host.tell("keep", { name: "visitor", value: known ? this.visitorId : null });
  }

  get isSeen() {
    return this.isOpen && document.visibilityState === "visible";
  }

  render() {
    const { conversation, engagement, survey, thread, isSeen } = this;
    const surveyWaits = survey.waitsFor(conversation);
    const wasAtEnd = this.scroll.isAtEnd;
    const isLooking = isSeen && this.wasSeen && wasAtEnd;
    const news = this.newsOf(thread).look(thread, isLooking);
    const isCut = this.isUnreachable || thread.isCut;
    const { hasThanked } = survey;
    this.view.show({ conversation, engagement, surveyWaits, hasThanked, isCut });
    this.showDialogue(news);
    this.consent.show();
    this.email.show(conversation, !this.consent.isAsked);
    byId("settings-open").hidden = !this.session.token || Boolean(this.session.guest);
    survey.show(conversation, isSeen);
    this.composer.isHidden = this.talk.isOver;
    this.composer.mayAttach = this.fileUrl("") !== null && !this.consent.isAsked;
    if (isLooking) thread.markRead();
    this.tellSound(news, isLooking);
    this.tellUnread(isSeen);
    this.scroll.follow(wasAtEnd && (isSeen || !news.unseen), news.unseen);
    if (isSeen !== this.wasSeen) this.appear(isSeen, news);
  }

  /** News sound once, in one tab, where none shows them. */
  tellSound({ newest }, isLooking) {
    const [known, { id }] = [this.soundedOf, this.conversation ?? {}];
    this.soundedOf = { id, newest };
    if (!id || known?.id !== id || newest <= known.newest) return;
    this.tabs.once(`${id} ${newest}`, isLooking, () => this.sound.play());
  }

  /** The Messenger came before somebody's eyes, or went: what is new is shown from its beginning. */
  appear(isSeen, { unseen }) {
    this.wasSeen = isSeen;
    if (!isSeen) return;
    const { line } = this.dialogue;
    if (unseen && line) this.scroll.toLine(line);
    else if (this.scroll.isAtEnd) this.scroll.toEnd();
    this.render();
  }

  newsOf(thread) {
    if (this.newsThread !== thread) this.news = new News();
    this.newsThread = thread;
    return this.news;
  }

  showDialogue(news) {
    const { messages, pending, otherRead } = this.thread;
    const { id } = this.conversation ?? {};
    const greeting = this.view.greeting(this);
    this.dialogue.show({ messages, pending, otherRead, greeting, conversation: id, news, isOpen: this.talk.isOpen });
    this.history.show(this.past.filter((one) => one.id !== id));
  }

  tellUnread(isSeen) {
    const unread = isSeen ? 0 : this.thread.unread;
    if (unread === this.toldUnread) return;
    this.toldUnread = unread;
    this.host.tell("unread", { unread });
  }
}

const config = JSON.parse(byId("config").textContent);
// Set here, not in the page: its policy allows no style attribute.
document.documentElement.style.setProperty("--accent", config.accent);
document.documentElement.style.setProperty("--on-accent", config.on_accent);
new Messenger(config).start();
