// The calls of one side: who rings, the answer, the connection, the end. The Messenger and the desk
// both use it. The server's frames decide what a call's state is; this module follows.

import { Connection } from "./connection.js";
import { Media, listenTo } from "./media.js";
import { Panel } from "./panel.js";
import { Quality } from "./quality.js";
import { ring } from "./ring.js";

const IN_CALL_MS = 10_000;
const MEASURE_MS = 3000;
const CONNECT_MS = 45_000; // Then the two browsers cannot reach each other.
const SHOWN_MS = 8000;

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
    Object.assign(this, { side, texts, ask, send, store, lock, mayRing, onRing, onQuiet, onChange });
    this.other = side === "visitor" ? "agent" : "visitor";
    this.tab = crypto.randomUUID();
    this.current = null; // {id, conversation, name, call, isMine, isElsewhere, isTold}
    this.early = []; // Frames that came before the answer to our own request.
    const act = {};
    for (const name of ["answer", "answerVideo", "end", "mute", "camera", "share", "hold", "float", "fill", "setUp", "close"]) {
      act[name] = () => this[name]();
    }
    act.choose = (kind, id) => this.choose(kind, id);
    this.panel = new Panel({ place, texts, sprite, act });
    this.resumed = this.#reclaim();
    addEventListener("online", () => this.connection?.reach());
  }

  get isBusy() {
    return this.current !== null && this.current.call?.end === "";
  }

  /** After a reload, this tab is the one that took part, unless it is a copy of that tab. */
  async #reclaim() {
    const stored = this.store.load();
    if (!stored) return this.#claim();
    if (await this.#claim(stored.tab)) this.stored = stored;
    else await this.#claim();
  }

  #claim(tab = this.tab) {
    if (!navigator.locks) return (this.tab = tab);
    return new Promise((resolve) => {
      navigator.locks
        .request(`causerie.call.${tab}`, { ifAvailable: true }, (lock) => {
          if (lock) this.tab = tab;
          resolve(Boolean(lock));
          return lock && new Promise(() => {}); // Held until the page is left.
        })
        .catch(() => resolve(Boolean((this.tab = tab)))); // A frame that may store nothing.
    });
  }

  #remember() {
    const { current, media } = this;
    if (!current?.isMine) return this.store.save(null);
    this.store.save({
      id: current.id,
      tab: this.tab,
      hasCamera: Boolean(media?.tracks.camera),
      isMuted: media?.isMuted ?? false,
      chosen: media?.chosen ?? {},
    });
  }

  // --- What the server says -------------------------------------------------------------------

  async hear({ conversation, name, call }) {
    await this.resumed;
    const { current } = this;
    const isMine = call[`${this.side}_tab`] === this.tab;
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
    await this.resumed;
    if (this.current?.id === call && tab === this.tab) this.connection?.receive(data);
  }

  /** The server does not know this call any more. */
  dropped({ call }) {
    if (this.current?.id === call && this.current.isMine) this.#over({ ...this.current.call, end: "lost" });
  }

  /** The socket is open: what was sent meanwhile may be lost, such as the end of a call. */
  async opened() {
    await this.resumed;
    const { current } = this;
    if (!current) {
      this.stored = null;
      this.store.save(null);
    } else if (this.isJoined) {
      this.connection?.reach();
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
    await this.resumed;
    if (this.isBusy) return;
    this.current = { conversation, name, isElsewhere, call: { end: "" }, isMine: true };
    this.early = [];
    this.#say(this.texts.calling, [["end", "phone-off", this.texts.cancel, "danger wide"]]);
    const mine = this.current;
    if (!(await this.#open(withVideo))) return;
    if (this.current !== mine) return this.current ?? this.#release(); // Cancelled meanwhile.
    const answer = await this.#post("", { tab: this.tab, video: withVideo });
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
  async #open(withCamera, stored) {
    if (this.current.isElsewhere || this.current.call.room) return true;
    if (!Media.isPossible) return this.#fail(this.texts.impossible);
    this.media = new Media({ onChange: (kind, track) => this.#mediaChanged(kind, track) });
    try {
      await this.media.open({ withCamera, chosen: stored?.chosen, isMuted: stored?.isMuted });
      return true;
    } catch (error) {
      const isRefused = error.name === "NotAllowedError";
      return this.#fail(isRefused ? this.texts.refused : this.texts.no_microphone);
    }
  }

  #mediaChanged(kind, track) {
    if (kind === "camera") this.panel.show({ own: track });
    if (kind === "audio" && this.level) this.#listen();
    this.connection?.replace(kind, track);
    if (!this.connection) return;
    this.#tell();
    this.#remember();
    this.#drawCall();
  }

  #waits() {
    const { current, texts } = this;
    this.#say(texts.calling, [["end", "phone-off", texts.cancel, "danger wide"]]);
    if (current.call.room) this.panel.link(current.call.room, texts.open_room);
    this.onChange();
  }

  #rings() {
    const { current, texts } = this;
    const { video, room } = current.call;
    const buttons = [["answer", "phone", texts.answer, "accept wide"]];
    if (video && !room) buttons.push(["answerVideo", "video", texts.answer_video, "accept wide"]);
    buttons.push(["end", "phone-off", texts.decline, "danger wide"]);
    this.#say(video ? texts.rings_video : texts.rings, buttons, { isRinging: true });
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
    const answer = await this.#post(`${current.id}/answer/`, { tab: this.tab });
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
    const { current, stored } = this;
    this.#quiet();
    this.stored = null;
    this.reporting = setInterval(() => this.#report(), IN_CALL_MS);
    this.ticking = setInterval(() => this.#tick(), 1000);
    if (!current.call.room && !(this.media ?? (await this.#comeBack(stored)))) return;
    if (this.current?.id !== current.id) return;
    if (current.call.room) return this.#joinRoom();
    this.quality = new Quality();
    this.state = "connecting";
    this.isSilent = true; // Until something has come.
    this.connection = new Connection({
      isPolite: this.side === "visitor",
      rtc: this.rtc,
      renew: () => this.#renew(),
      outgoing: this.media.tracks,
      send: (data) => this.send({ type: "signal", call: current.id, tab: this.tab, data }),
      onState: (state) => this.#stateChanged(state),
      onTracks: (tracks) => this.#showRemote(tracks),
      onFlags: (flags) => this.#flagged(flags),
    });
    this.measuring = setInterval(() => this.#measure(), MEASURE_MS);
    this.giveUp = setTimeout(() => this.#cannotConnect(), CONNECT_MS);
    this.#tell();
    this.#report();
    this.#remember();
    this.#drawCall();
    this.#stayAwake();
    this.onChange();
  }

  /** The page was loaded again: take the microphone and fresh servers. */
  async #comeBack(stored) {
    this.#say(this.texts.resuming, [["end", "phone-off", this.texts.hang_up, "danger"]]);
    const answer = await this.#post(`${this.current.id}/resume/`, { tab: this.tab });
    if (!answer || !this.current) return false;
    this.#take(answer);
    if (await this.#open(stored?.hasCamera ?? false, stored)) return true;
    this.#post(`${this.current.id}/end/`, { failed: true }, { isQuiet: true });
    return false;
  }

  #joinRoom() {
    this.#remember();
    this.#say(this.texts.in_room, [["end", "phone-off", this.texts.hang_up, "danger wide"]]);
    this.panel.link(this.current.call.room, this.texts.open_room);
    this.#report();
    this.onChange();
  }

  async #renew() {
    const { ok, data } = await this.ask(this.current.conversation, `${this.current.id}/resume/`, { tab: this.tab });
    return ok ? data.rtc : null;
  }

  #stateChanged(state) {
    this.state = state;
    if (state === "connected") clearTimeout(this.giveUp);
    if (this.connection) this.#drawCall();
  }

  /** What the other side sends is shown as far as it says that it sends it. */
  #showRemote(tracks) {
    this.remote = tracks;
    const flags = this.flags ?? {};
    this.panel.show({
      audio: tracks.audio ?? null,
      remote: (flags.camera && tracks.camera) || null,
      screen: (flags.screen && tracks.screen) || null,
    });
  }

  #flagged(flags) {
    this.flags = flags;
    if (this.remote) this.#showRemote(this.remote);
    this.#drawCall();
  }

  #tell() {
    const { tracks, isMuted, isHeld } = this.media;
    this.connection.tell({
      muted: isMuted,
      held: isHeld,
      camera: Boolean(tracks.camera) && !isHeld,
      screen: Boolean(tracks.screen) && !isHeld,
    });
  }

  #drawCall() {
    const { texts, media, allowed, panel } = this;
    if (!this.connection || !media) return;
    const { camera, screen } = media.tracks;
    const mayFloat = document.pictureInPictureEnabled && !panel.largest.hidden;
    const buttons = [
      ["mute", media.isMuted ? "mic-off" : "mic", media.isMuted ? texts.unmute : texts.mute, "", media.isMuted],
      allowed.video && ["camera", camera ? "video" : "video-off", camera ? texts.camera_off : texts.camera_on, "", Boolean(camera)],
      allowed.screen && navigator.mediaDevices.getDisplayMedia
        && ["share", "screen-share", screen ? texts.unshare : texts.share, "", Boolean(screen)],
      ["hold", "pause", media.isHeld ? texts.unhold : texts.hold, "", media.isHeld],
      mayFloat && ["float", "picture-in-picture-2", texts.float],
      document.fullscreenEnabled && !panel.pictures.hidden && ["fill", "maximize", texts.fill],
      ["setUp", "settings-2", texts.devices, "", !panel.devices.hidden],
      ["end", "phone-off", texts.hang_up, "danger"],
    ];
    panel.place.classList.toggle("connected", this.state === "connected");
    this.#say(this.#sentence(), buttons.filter(Boolean));
  }

  #sentence() {
    const { texts, state, flags, media } = this;
    if (state === "interrupted") return texts.interrupted;
    if (state === "connecting") return texts.connecting;
    if (media.isHeld) return texts.on_hold;
    if (flags?.held) return texts.holds_you;
    if (flags?.screen) return texts.shares;
    return flags?.muted ? texts.is_muted : texts.connected;
  }

  async #measure() {
    const { connection, quality } = this;
    if (!connection) return;
    const measured = await connection.measure();
    if (connection !== this.connection) return;
    const isHeld = this.media.isHeld || this.flags?.held;
    this.isSilent = quality.isSilentSince(measured);
    const isBad = quality.add(measured) && this.state === "connected" && !isHeld;
    this.panel.warn(isBad ? this.texts.bad_network : "");
  }

  #report() {
    const { current, quality } = this;
    if (!current?.isMine || current.call.status !== "answered") return;
    const connected = this.state === "connected" && !this.isSilent;
    this.send({ type: "in_call", call: current.id, tab: this.tab, connected, ...(quality?.whole ?? {}) });
  }

  #tick() {
    const since = Date.parse(this.current?.call.answered_at ?? "");
    if (since) this.panel.tick(Math.max(0, Math.round((Date.now() - since) / 1000)));
  }

  async #stayAwake() {
    try {
      this.wakeLock = await navigator.wakeLock?.request("screen");
    } catch {
      this.wakeLock = null; // As in power saving mode: the call goes on all the same.
    }
  }

  mute() {
    this.media.mute(!this.media.isMuted);
    this.#mediaSet();
  }

  hold() {
    this.media.hold(!this.media.isHeld);
    this.panel.silence(this.media.isHeld);
    this.#mediaSet();
  }

  #mediaSet() {
    this.#tell();
    this.#remember();
    this.#drawCall();
  }

  camera() {
    return this.#try(() => this.media.showCamera(!this.media.tracks.camera), this.texts.no_camera);
  }

  share() {
    return this.#try(() => this.media.shareScreen(!this.media.tracks.screen), this.texts.no_screen);
  }

  float() {
    return this.#try(() => this.panel.float(), this.texts.no_float);
  }

  fill() {
    return this.#try(() => this.panel.fill(), this.texts.no_float);
  }

  choose(kind, id) {
    if (kind === "output") return this.panel.hearFrom(id);
    return this.#try(() => this.media.choose(kind, id), this.texts.no_device);
  }

  async setUp() {
    this.level?.stop();
    this.level = null;
    if (!this.panel.devices.hidden) {
      this.panel.devices.hidden = true;
      return this.#drawCall();
    }
    const inUse = {};
    for (const [kind, track] of Object.entries(this.media.tracks)) inUse[kind] = track?.getSettings().deviceId;
    this.panel.offer(await Media.devices(), inUse);
    this.#listen();
    this.#drawCall();
  }

  /** Show how loud the microphone is, beside the choice of it. */
  #listen() {
    this.level?.stop();
    const { audio } = this.media.tracks;
    this.level = audio ? listenTo(audio, (level) => (this.panel.meter.value = level)) : null;
  }

  /** People may refuse what their browser asks; the call goes on. */
  async #try(action, sentence) {
    try {
      await action();
    } catch (error) {
      if (this.connection) this.panel.warn(sentence);
      if (error.name !== "NotAllowedError") console.warn("Call:", error.name, error.message);
    }
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
    const { current, texts } = this;
    if (current.call.end) return; // It is over here already.
    const wasShown = !this.panel.place.hidden;
    this.#release();
    current.call = { ...current.call, ...call };
    this.store.save(null);
    const byMe = call.ended_by === this.side;
    const byCaller = call.begun_by === this.side;
    const sentence = {
      hung_up: byMe ? texts.over : texts.over_by_other,
      declined: byMe ? texts.over : texts.declined,
      cancelled: byMe ? texts.over : texts.missed,
      no_answer: byCaller ? texts.no_answer : texts.missed,
      lost: texts.lost,
      moved: texts.moved,
      failed: texts.failed,
    }[call.end];
    if (wasShown) this.#last(sentence ?? texts.over);
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
    this.store.save(null);
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
    this.store.save(null);
    this.panel.hide();
    this.onChange();
  }

  /** Give back everything that the call used. */
  #release() {
    this.#quiet();
    for (const timer of [this.reporting, this.ticking, this.measuring]) clearInterval(timer);
    clearTimeout(this.giveUp);
    this.level?.stop();
    this.level = null;
    this.connection?.close();
    this.media?.close();
    this.wakeLock?.release();
    if (document.pictureInPictureElement) document.exitPictureInPicture().catch(() => {});
    this.connection = this.media = this.quality = this.wakeLock = this.flags = this.remote = null;
    this.isJoined = false;
    this.panel.hide();
    this.panel.silence(false);
  }

  #say(sentence, buttons, options) {
    const { name } = this.current ?? {};
    this.panel.draw(sentence.replace("{name}", name ?? ""), buttons, options);
  }
}
