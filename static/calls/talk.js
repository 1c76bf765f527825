// An answered call between two browsers: the connection, what each side sends, and what is measured.

import { stayAwake } from "./awake.js";
import { Connection } from "./connection.js";
import { Devices } from "./devices.js";
import { Quality } from "./quality.js";
import { buttonsOf, sentenceOf } from "./sentences.js";

const MEASURE_MS = 3000;
const CONNECT_MS = 45_000; // Then the two browsers cannot reach each other.

export class Talk {
  /**
   * isPolite       gives way when both offer at once
   * media          what this side sends; allowed: {video, screen}, by the website
   * rtc, renew     of Connection
   * panel, texts
   * signal(data)   to the other side
   * say(sentence, buttons)
   * onMedia()      what this side sends has changed
   * onFailure()    the two browsers cannot reach each other
   */
  constructor({ isPolite, media, allowed, rtc, renew, panel, texts, signal, say, onMedia, onFailure }) {
    Object.assign(this, { media, allowed, panel, texts, say, onMedia });
    this.quality = new Quality();
    this.devices = new Devices({ media, panel });
    this.state = "connecting";
    this.isSilent = true; // Until something has come.
    this.connection = new Connection({
      isPolite,
      rtc,
      renew,
      outgoing: media.tracks,
      send: signal,
      onState: (state) => this.#stateChanged(state),
      onTracks: (tracks) => this.#showRemote(tracks),
      onFlags: (flags) => this.#flagged(flags),
    });
    this.measuring = setInterval(() => this.#measure(), MEASURE_MS);
    this.giveUp = setTimeout(onFailure, CONNECT_MS);
    this.screen = stayAwake();
    this.#tell();
    this.#draw();
  }

  close() {
    clearInterval(this.measuring);
    clearTimeout(this.giveUp);
    this.devices.stop();
    this.connection.close();
    this.connection = null;
    this.screen.stop();
    if (document.pictureInPictureElement) document.exitPictureInPicture().catch(() => {});
  }

  receive(data) {
    this.connection.receive(data);
  }

  /** The sockets or the network are there again. */
  reach() {
    this.connection.reach();
  }

  /** What is reported to the server. */
  get health() {
    return { connected: this.state === "connected" && !this.isSilent, ...this.quality.whole };
  }

  // --- Of the other side ------------------------------------------------------------------------

  #stateChanged(state) {
    this.state = state;
    if (state === "connected") clearTimeout(this.giveUp);
    this.#draw();
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
    this.#draw();
  }

  async #measure() {
    const { connection, quality } = this;
    const measured = await connection.measure();
    if (connection !== this.connection) return;
    const isHeld = this.media.isHeld || this.flags?.held;
    this.isSilent = quality.isSilentSince(measured);
    const isBad = quality.add(measured) && this.state === "connected" && !isHeld;
    this.panel.warn(isBad ? this.texts.bad_network : "");
  }

  // --- Of this side -----------------------------------------------------------------------------

  /** Another track is sent, or none any more. */
  changed(kind, track) {
    if (kind === "audio") this.devices.changed();
    this.connection.replace(kind, track);
    this.#changed();
  }

  mute() {
    this.media.mute(!this.media.isMuted);
    this.#changed();
  }

  hold() {
    this.media.hold(!this.media.isHeld);
    this.panel.silence(this.media.isHeld);
    this.#changed();
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
    await this.devices.toggle();
    this.#draw();
  }

  #changed() {
    this.#tell();
    this.onMedia();
    this.#draw();
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

  /** People may refuse what their browser asks; the call goes on. */
  async #try(action, sentence) {
    try {
      await action();
    } catch (error) {
      if (this.connection) this.panel.warn(sentence);
      if (error.name !== "NotAllowedError") console.warn("Call:", error.name, error.message);
    }
  }

  #draw() {
    if (!this.connection) return;
    const { media, allowed, panel, texts, state, flags } = this;
    const { isMuted, isHeld, tracks } = media;
    const can = {
      camera: allowed.video,
      share: allowed.screen && navigator.mediaDevices.getDisplayMedia,
      float: document.pictureInPictureEnabled && !panel.largest.hidden,
      fill: document.fullscreenEnabled && !panel.pictures.hidden,
    };
    const [hasCamera, hasScreen] = [Boolean(tracks.camera), Boolean(tracks.screen)];
    const mine = { isMuted, isHeld, hasCamera, hasScreen, hasDevices: this.devices.isShown };
    panel.place.classList.toggle("connected", state === "connected");
    this.say(sentenceOf({ state, isHeld, flags }, texts), buttonsOf(mine, can, texts));
  }
}
