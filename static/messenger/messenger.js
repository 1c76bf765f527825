// The Messenger in its iframe: greeting, consent, conversation, survey (C9), in that order. This
// module assembles the parts and handles the visitor's actions; acquaintance.js has the state from
// the server, screen.js the display.

import { Acquaintance } from "./acquaintance.js";
import { Attached } from "./attached.js";
import { CallRequest } from "./call_request.js";
import { Calling } from "./calling.js";
import { CobrowsingCard } from "./cobrowsing.js";
import { Composer } from "./composer.js";
import { Consent } from "./consent.js";
import { Dialogue } from "./dialogue.js";
import { Email } from "./email.js";
import { byId } from "./elements.js";
import { History } from "./history.js";
import { Host } from "./host.js";
import { Identity } from "./identity.js";
import { Mirroring } from "./mirroring.js";
import { Others } from "./others.js";
import { Pages } from "./pages.js";
import { answerId } from "./offered.js";
import { Privacy } from "./privacy.js";
import { Room } from "./room.js";
import { Screen } from "./screen.js";
import { Scroll } from "./scroll.js";
import { Session } from "./session.js";
import { Sound } from "./sound.js";
import { Survey } from "./survey.js";
import { Tabs } from "./tabs.js";
import { Talk } from "./talk.js";
import { View } from "./view.js";

class Messenger {
  constructor(config) {
    this.config = config;
    this.strings = config.strings;
    this.engagement = null; // Until the page, or the server, has answered.
    this.session = new Session(config);
    this.wantsToSend = false;
    this.known = new Acquaintance(this);
    this.screen = new Screen(this);
    this.host = new Host({
      open: (isBack) => this.open(isBack),
      minimize: () => this.minimize(),
      offer: (answer) => this.offered(answer),
      page: () => this.pages.tell(),
      link: (word) => this.known.follow(word),
      identify: (token) => this.identity.receive(token, this.known.loading),
      logout: () => this.known.logout(),
      mirror: (data) => this.mirroring.hear(data),
    });
    this.calling = new Calling({
      session: this.session,
      host: this.host,
      settings: config.calls,
      send: (frame) => this.talk.send(frame),
      isQuiet: () => !this.sound.isOn,
    });
    this.callRequest = new CallRequest({
      strings: this.strings,
      mayAsk: () => this.hasConsent(),
      send: (text) => this.send(this.composer.text || text),
      ring: (withVideo) => this.calling.ring(withVideo),
    });
    this.mirroring = new Mirroring({
      session: this.session,
      host: this.host,
      settings: config.mirror,
      onSession: (session) => this.cobrowsing.show(session),
    });
    this.cobrowsing = new CobrowsingCard({
      host: this.host,
      labels: config.mirror?.labels.cobrowsing,
      onAnswer: (accepts) => this.mirroring.answer(accepts),
      onStop: () => this.mirroring.stopSession(),
      onShow: (isNew) => isNew && this.scroll.toEnd(),
    });
    this.identity = new Identity({
      session: this.session,
      host: this.host,
      language: config.language,
      onKnown: () => this.known.renew(),
      onForeign: () => this.known.forgetToken(),
    });
    this.privacy = new Privacy({
      session: this.session,
      strings: this.strings,
      onChange: (what) => this.decided(what),
    });
    this.tabs = new Tabs({ website: config.website, onNews: () => this.known.catchUp() });
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
    this.others = new Others(config, (conversation) => this.known.turnTo(conversation));
    const attached = new Attached({ session: this.session, strings: this.strings });
    this.dialogue = new Dialogue(byId("dialogue"), config, attached, (id, text) => this.choose(id, text));
    this.history = new History(this.session, config, attached);
    this.composer = new Composer({
      session: this.session,
      onSend: (text) => this.send(text),
      onFile: (attachment) => this.sendFile(attachment),
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
        ...this.callRequest.about,
      }),
      onChange: () => this.render(),
      onMoved: () => this.tellStay(),
      onBegun: () => {
        this.room.stop();
        this.tabs.tell();
      },
      onElsewhere: () => this.known.elsewhere(),
      onEnd: () => this.ended(),
      onTyping: (isOn, name) => this.view.showTyping(isOn, name),
      onHidden: (since) => this.known.hidden(since),
      onLinked: () => this.known.loadAgain(),
      onCall: (frame) => this.calling.hear(frame),
      onSocket: (isUp) => (isUp ? this.calling.opened() : this.calling.down()),
      onMirror: (conversation, names) => this.mirroring.show(conversation, names),
      onCobrowsing: (conversation, session) => this.mirroring.showSession(conversation, session),
      onRejected: (...refusal) => this.reject(...refusal),
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
    if (this.session.isForbidden && !this.host.isAlone) await this.known.borrow();
    if (this.session.isKnown) this.known.loading = this.known.load();
    await this.known.loading;
    this.tellStay();
    const word = this.host.isAlone && /#causerie=([\w.:-]+)/.exec(location.hash)?.[1];
    if (word) await this.known.follow(word);
  }

  /** Articles are looked for from the first letter of the first message on. */
  async offerArticles() {
    const settings = this.config.articles;
    const { Articles } = await import(settings.script);
    this.articles = new Articles({
      settings,
      session: this.session,
      isWanted: () => !this.conversation && !this.thread.pending.length && !this.session.guest,
      onShow: () => this.scroll.toEnd(),
      onWrite: () => this.composer.focus(),
    });
  }

  listen() {
    if (this.config.articles) {
      // Some begin to write before this script has come.
      if (this.composer.text) this.offerArticles();
      else byId("text").addEventListener("input", () => this.offerArticles(), { once: true });
    }
    byId("minimize").hidden = this.host.isAlone;
    byId("minimize").addEventListener("click", () => this.host.tell("minimize"));
    byId("decline").addEventListener("click", () => this.host.tell("minimize"));
    byId("person").addEventListener("click", () => this.askForPerson());
    byId("restart").addEventListener("click", () => this.restart());
    addEventListener("keydown", (event) => {
      if (document.querySelector("dialog[open]")) return; // Escape belongs to the dialog then.
      if (event.key === "Escape" && !event.isComposing) this.host.tell("minimize");
    });
    addEventListener("online", () => this.render());
    addEventListener("offline", () => this.render());
    document.addEventListener("visibilitychange", () => this.render());
  }

  // --- The server ---------------------------------------------------------------------------

  ended() {
    this.known.refreshHistory();
    this.room.ask();
  }

  offered(answer) {
    this.engagement = answer;
    this.render();
  }

  /** The last place went meanwhile. The text is back in the box; say when to return (B4). */
  async watchRoom(sentence) {
    const answer = await this.room.ask();
    this.offered({ ...answer, engage: false }); // The refusal is newer than the answer.
    const more = this.room.reopening(answer ?? {}) || this.strings.room_watched;
    this.composer.complain(`${sentence} ${more}`);
    this.room.wait();
  }

  tellRoom() {
    this.composer.hint(this.strings.room_again);
    this.host.tell("nudge", { text: this.strings.room_again });
  }

  reject(body, sentence, code, attachment) {
    if (code === "conflict") return this.thread.sync(); // Another tab has pressed another choice.
    if (code === "token") this.known.forgetToken();
    if (code === "closed") this.thread.sync();
    if (code === "consent" && this.session.token) this.known.load(); // The text has changed meanwhile.
    if (!this.callRequest.refused(body)) this.composer.restore(body);
    if (attachment && code !== "attachment") this.composer.uploads.adopt([attachment]);
    this.composer.complain(sentence || this.strings.rejected);
    if (code === "no_room") this.watchRoom(sentence);
  }

  refused(code) {
    if (code === "token" || code === "not_found") this.known.forgetToken();
  }

  reset(options) {
    this.talk.reset(options);
    this.survey.forget();
    this.tellStay();
    this.render();
  }

  // --- The visitor's actions ------------------------------------------------------------------

  /** `isBack`: open as on the page before; a visitor who reads the page keeps the focus there. */
  open(isBack = false) {
    this.isOpen = true;
    this.render();
    if (!isBack) this.composer.focus();
  }

  minimize() {
    this.isOpen = false;
    this.render();
  }

  /** Return whether consent was given; otherwise point at the card that asks for it. */
  hasConsent() {
    if (!this.consent.isAsked) return true;
    this.composer.hint(this.strings.consent_first);
    this.scroll.toEnd();
    byId("accept").focus();
    return false;
  }

  /** Return whether the text may go; without a text there are only files, which follow. */
  send(text) {
    if (!this.hasConsent()) {
      this.wantsToSend = true;
      return false;
    }
    if (!text) return true;
    this.composer.clear();
    this.scroll.isAtEnd = true;
    this.thread.send(text);
    this.tellStay();
    return true;
  }

  sendFile(attachment) {
    this.scroll.isAtEnd = true;
    this.thread.send("", attachment);
    this.tellStay();
  }

  /** Send a choice that a message offers as the visitor's own message. */
  choose(id, text) {
    this.scroll.isAtEnd = true;
    this.thread.send(text, null, answerId(id));
  }

  /** The words are a message like any other; the bot passes on whoever writes them. */
  askForPerson() {
    this.scroll.isAtEnd = true;
    this.thread.send(this.strings.person);
    this.composer.focus();
  }

  /** Return the URL of a file: in the conversation, or of the visitor who may start one with it; ""
  while *  consent comes first, null if none may be sent. */
  fileUrl(id) {
    if (this.talk.isOver || !this.config.files) return null;
    if (this.consent.isAsked) return "";
    const place = this.conversation ? `conversations/${this.conversation.id}/` : "";
    return this.session.guest && !place ? null : this.session.url(`${place}attachments/${id}/`);
  }

  /** `token` is set for a new visitor, `privacy` for one who consents once more. */
  async consented({ token, ticket, visitor, privacy }) {
    if (token) {
      this.session.begin(token, ticket);
      this.known.visitorId = visitor;
      this.pages.tell();
      this.tabs.tell();
      this.known.loading = this.known.load(); // A known customer has a history.
      await this.known.loading;
    } else {
      this.privacy.receive(privacy);
      this.consent.standing = privacy.consent;
      this.identity.again();
    }
    this.tellStay();
    this.composer.complain("");
    this.composer.uploads.begin();
    this.render();
    this.composer.focus();
    if (this.wantsToSend) this.composer.form.requestSubmit();
    this.wantsToSend = false;
    this.callRequest.resume();
  }

  /** The history was hidden or shown, or consent withdrawn. */
  decided(what) {
    this.consent.standing = this.privacy.value.consent;
    if (what === "history") this.known.hidden(this.privacy.value.hidden_at).then(() => this.tabs.tell());
    else {
      this.email.receive(null);
      this.calling.leave();
      this.mirroring.leave();
    }
    this.render();
  }

  surveyed() {
    this.tabs.tell();
    this.tellStay();
    this.render();
    if (this.survey.hasThanked) this.scroll.toEnd();
  }

  restart() {
    if (this.session.guest) this.known.leaveLink();
    else this.reset();
    this.composer.focus();
  }

  // --- Reports and display --------------------------------------------------------------------

  /** Report whether the reduced Messenger must be on the next page (R16, C12). */
  tellStay() {
    const stay = this.talk.isOpen || this.survey.waitsFor(this.conversation) || this.thread.pending.length > 0;
    const known = this.session.token !== null;
    this.host.tell("stay", { stay, known });
    // With it the page reports who bought (R63).
    this.host.tell("keep", { name: "visitor", value: known ? this.known.visitorId : null });
  }

  render() {
    this.screen.render();
  }
}

const config = JSON.parse(byId("config").textContent);
// Set here, not in the page: its policy allows no style attribute.
document.documentElement.style.setProperty("--accent", config.accent);
document.documentElement.style.setProperty("--on-accent", config.on_accent);
new Messenger(config).start();
