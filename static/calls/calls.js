// The calls of one side: who rings, the answer, the end. The Messenger and the desk both use it. The
// server's frames decide what a call's state is; this module follows. What the two browsers do once
// it is answered is talk.js.

import { Media } from "./media.js";
import { Panel } from "./panel.js";
import { ring } from "./ring.js";
import { endOf, ringingButtons } from "./sentences.js";
import { Tab } from "./tab.js";
import { Talk } from "./talk.js";

const IN_CALL_MS = 10_000;
const SHOWN_MS = 8000;
const STEPS = ["answer", "answerVideo", "end", "close"];
const CONTROLS = ["mute", "camera", "share", "hold", "float", "fill", "setUp"];

export class Calls {
  /**
   * side         "visitor" or "agent"
   * place        the element to draw in
   * texts, sprite
   * ask(conversation, path, data)  POST, below a conversation's calls; returns {ok, data}
   * send(frame)  through the socket
   * store        {load(), save(value)}: of this tab, and survives a reload
   * lock         a name for this person, for what happens once in all tabs
   * mayRing()    whether the person wants to hear it
   * onRing(call, name, conversation)  a call rings here; onQuiet(): none does any more
   * onChange()   a call began or is over
   */
  constructor({ side, place, texts, sprite, ask, send, store, lock, mayRing, onRing, onQuiet, onChange }) {
    Object.assign(this, { side, texts, ask, send, lock, mayRing, onRing, onQuiet, onChange });
    this.tab = new Tab(store);
    this.current = null; // {id, conversation, name, call, isMine, isElsewhere, isTold}
    this.early = []; // Frames that came before the answer to our own request.
    const act = { choose: (kind, id) => this.talk?.choose(kind, id) };
    for (const name of STEPS) act[name] = () => this[name]();
    for (const name of CONTROLS) act[name] = () => this.talk?.[name]();
    this.panel = new Panel({ place, texts, sprite, act });
    addEventListener("online", () => this.talk?.reach());
  }

  get isBusy() {
    return this.current !== null && this.current.call?.end === "";
  }

  #remember() {
    const { current, media } = this;
    if (!current?.isMine) return this.tab.forget();
    this.tab.remember({
      id: current.id,
      hasCamera: Boolean(media?.tracks.camera),
      isMuted: media?.isMuted ?? false,
      chosen: media?.chosen ?? {},
    });
  }

  // --- What the server says -------------------------------------------------------------------

  async hear({ conversation, name, call }) {
    await this.tab.isKnown;
    const { current } = this;
    const isMine = call[`${this.side}_tab`] === this.tab.id;
    if (this.isBusy && current.isMine && !current.id) return this.early.push({ conversation, name, call });
    if (current?.id !== call.id) {
      if (call.end || (this.isBusy && current.isMine)) return;
      if (current) this.#leave();
    }
    if (call.end) return this.#over(call);
    this.current = { ...this.current, id: call.id, conversation, name, call, isMine, isTold: true };
    if (this.isAnswering) return; // The answer to our own request has more to say.
    if (call.status === "answered") return isMine ? this.#join() : this.#elsewhere();
    if (call.begun_by !== this.side) this.#rings();
    else if (isMine) this.#waits();
  }

  async signal({ call, tab, data }) {
    await this.tab.isKnown;
    if (this.current?.id === call && tab === this.tab.id) this.talk?.receive(data);
  }

  /** The server does not know this call any more. */
  dropped({ call }) {
    if (this.current?.id === call && this.current.isMine) this.#over({ ...this.current.call, end: "lost" });
  }

  /** The socket is open: what was sent meanwhile may be lost, such as the end of a call. */
  async opened() {
    await this.tab.isKnown;
    const { current } = this;
    if (!current) {
      this.tab.before = null;
      this.tab.forget();
    } else if (this.isJoined) {
      this.talk?.reach();
      this.#report();
    } else if (current.id && this.isBusy && !current.isTold) {
      this.#leave(); // It rang before the socket was lost; of those that still do, the server has told.
    }
  }

  /** The socket is lost. */
  down() {
    if (this.current) this.current.isTold = false;
  }

  // --- Beginning ------------------------------------------------------------------------------

  /** Ring at the other side. */
  async call(conversation, name, { withVideo = false, isElsewhere = false } = {}) {
    await this.tab.isKnown;
    if (this.isBusy) return;
    this.current = { conversation, name, isElsewhere, call: { end: "" }, isMine: true };
    this.early = [];
    this.#say(this.texts.calling, [["end", "phone-off", this.texts.cancel, "danger wide"]]);
    const mine = this.current;
    if (!(await this.#open(withVideo))) return;
    if (this.current !== mine) return this.current ?? this.#release(); // Cancelled meanwhile.
    const answer = await this.#post("", { tab: this.tab.id, video: withVideo });
    if (!answer) return;
    if (this.current !== mine) return this.ask(conversation, `${answer.call.id}/end/`, {});
    this.#take(answer);
    this.current = { ...mine, id: answer.call.id, call: answer.call };
    this.#remember();
    this.#waits();
    for (const frame of this.early.splice(0)) await this.hear(frame);
  }

  #take({ rtc, allowed }) {
    this.rtc = rtc;
    this.allowed = allowed;
  }

  /** Ask for the microphone. A call in a room elsewhere needs none here. */
  async #open(withCamera, before) {
    if (this.current.isElsewhere || this.current.call.room) return true;
    if (!Media.isPossible) return this.#fail(this.texts.impossible);
    this.media = new Media({ onChange: (kind, track) => this.#mediaChanged(kind, track) });
    try {
      await this.media.open({ withCamera, chosen: before?.chosen, isMuted: before?.isMuted });
      return true;
    } catch (error) {
      const isRefused = error.name === "NotAllowedError";
      return this.#fail(isRefused ? this.texts.refused : this.texts.no_microphone);
    }
  }

  #mediaChanged(kind, track) {
    if (kind === "camera") this.panel.show({ own: track });
    this.talk?.changed(kind, track);
  }

  #waits() {
    const { current, texts } = this;
    this.#say(texts.calling, [["end", "phone-off", texts.cancel, "danger wide"]]);
    if (current.call.room) this.panel.link(current.call.room, texts.open_room);
    this.onChange();
  }

  #rings() {
    const { current, texts } = this;
    const sentence = current.call.video ? texts.rings_video : texts.rings;
    this.#say(sentence, ringingButtons(current.call, texts), { isRinging: true });
    this.ringing ??= this.mayRing() ? ring(`causerie.ring.${this.lock}`) : { stop() {} };
    this.onRing(current.call, current.name, current.conversation);
    this.onChange();
  }

  answerVideo() {
    return this.answer(true);
  }

  async answer(withCamera = false) {
    const { current } = this;
    if (current.call.room) window.open(current.call.room, "_blank", "noopener");
    this.#quiet();
    this.#say(this.texts.connecting, [["end", "phone-off", this.texts.hang_up, "danger"]]);
    if (!(await this.#open(withCamera))) return this.#post(`${current.id}/end/`, {}, { isQuiet: true });
    if (this.current?.id !== current.id || !this.isBusy) return this.#release();
    this.isAnswering = true;
    const answer = await this.#post(`${current.id}/answer/`, { tab: this.tab.id });
    this.isAnswering = false;
    if (!answer || this.current?.id !== current.id || !this.isBusy) return;
    this.#take(answer);
    this.current = { ...this.current, call: answer.call, isMine: true };
    this.#join();
  }

  // --- During the call --------------------------------------------------------------------------

  /** The call is answered, and this tab takes part. */
  async #join() {
    if (this.isJoined) return;
    this.isJoined = true;
    const { current } = this;
    const { before } = this.tab;
    this.tab.before = null;
    this.#quiet();
    this.reporting = setInterval(() => this.#report(), IN_CALL_MS);
    this.ticking = setInterval(() => this.#tick(), 1000);
    if (!current.call.room && !(this.media ?? (await this.#comeBack(before)))) return;
    if (this.current?.id !== current.id) return;
    if (!current.call.room) this.talk = this.#talk();
    this.#remember();
    if (current.call.room) this.#inRoom();
    this.#report();
    this.onChange();
  }

  #talk() {
    const { current, side, media, allowed, rtc, panel, texts } = this;
    const tab = this.tab.id;
    return new Talk({
      isPolite: side === "visitor",
      media,
      allowed,
      rtc,
      panel,
      texts,
      renew: () => this.#renew(),
      signal: (data) => this.send({ type: "signal", call: current.id, tab, data }),
      say: (sentence, buttons) => this.#say(sentence, buttons),
      onMedia: () => this.#remember(),
      onFailure: () => this.#cannotConnect(),
    });
  }

  /** The page was loaded again: take the microphone and fresh servers. */
  async #comeBack(before) {
    this.#say(this.texts.resuming, [["end", "phone-off", this.texts.hang_up, "danger"]]);
    const answer = await this.#post(`${this.current.id}/resume/`, { tab: this.tab.id });
    if (!answer || !this.current) return false;
    this.#take(answer);
    if (await this.#open(before?.hasCamera ?? false, before)) return true;
    this.#post(`${this.current.id}/end/`, { failed: true }, { isQuiet: true });
    return false;
  }

  #inRoom() {
    this.#say(this.texts.in_room, [["end", "phone-off", this.texts.hang_up, "danger wide"]]);
    this.panel.link(this.current.call.room, this.texts.open_room);
  }

  async #renew() {
    const { ok, data } = await this.ask(this.current.conversation, `${this.current.id}/resume/`, { tab: this.tab.id });
    return ok ? data.rtc : null;
  }

  #report() {
    const { current, talk } = this;
    if (!current?.isMine || current.call.status !== "answered") return;
    const health = talk?.health ?? { connected: false };
    this.send({ type: "in_call", call: current.id, tab: this.tab.id, ...health });
  }

  #tick() {
    const since = Date.parse(this.current?.call.answered_at ?? "");
    if (since) this.panel.tick(Math.max(0, Math.round((Date.now() - since) / 1000)));
  }

  // --- The end ----------------------------------------------------------------------------------

  /** Decline, cancel or hang up. */
  async end() {
    const { current } = this;
    if (!current) return;
    if (!current.id) return this.#leave(); // Not even rung yet.
    this.#post(`${current.id}/end/`, {}, { isQuiet: true });
    this.#over({ ...current.call, end: "hung_up", ended_by: this.side });
  }

  #cannotConnect() {
    const { current } = this;
    this.#post(`${current.id}/end/`, { failed: true }, { isQuiet: true });
    this.#over({ ...current.call, end: "failed" });
  }

  /** Another of this person's tabs has answered. */
  #elsewhere() {
    const wasRinging = Boolean(this.ringing);
    this.#release();
    if (wasRinging) this.#last(this.texts.elsewhere);
    else this.#leave();
  }

  #over(call) {
    const { current } = this;
    if (current.call.end) return; // It is over here already.
    const wasShown = !this.panel.place.hidden;
    this.#release();
    current.call = { ...current.call, ...call };
    this.tab.forget();
    if (wasShown) this.#last(endOf(call, this.side, this.texts));
    else this.#leave();
  }

  /** Say a last sentence, for a while. */
  #last(sentence) {
    this.#say(sentence, [["close", "x", this.texts.close]]);
    const { current } = this;
    setTimeout(() => this.current === current && !this.isJoined && this.#leave(), SHOWN_MS);
    this.onChange();
  }

  close() {
    this.#leave();
  }

  #fail(sentence) {
    this.#release();
    this.current = { ...this.current, call: { ...this.current.call, end: "failed" } };
    this.tab.forget();
    this.#last(sentence);
    return false;
  }

  /** POST; on a refusal say why and return null. */
  async #post(path, data, { isQuiet = false } = {}) {
    const { conversation } = this.current;
    try {
      const answer = await this.ask(conversation, path, data);
      if (answer.ok) return answer.data;
      if (!isQuiet) this.#fail(answer.data?.error?.message ?? this.texts.failed);
    } catch {
      if (!isQuiet) this.#fail(this.texts.unreachable);
    }
    return null;
  }

  #quiet() {
    this.ringing?.stop();
    if (this.ringing) this.onQuiet();
    this.ringing = null;
  }

  #leave() {
    this.#release();
    this.current = null;
    this.tab.forget();
    this.panel.hide();
    this.onChange();
  }

  /** Give back everything that the call used. */
  #release() {
    this.#quiet();
    clearInterval(this.reporting);
    clearInterval(this.ticking);
    this.talk?.close();
    this.media?.close();
    this.talk = this.media = null;
    this.isJoined = false;
    this.panel.hide();
    this.panel.silence(false);
  }

  #say(sentence, buttons, options) {
    const { name } = this.current ?? {};
    this.panel.draw(sentence.replace("{name}", name ?? ""), buttons, options);
  }
}
