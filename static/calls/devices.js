// The choice of microphone, camera and speaker, beside a level meter of the microphone.

import { Media, listenTo } from "./media.js";

export class Devices {
  constructor({ media, panel }) {
    Object.assign(this, { media, panel });
    this.level = null;
  }

  get isShown() {
    return !this.panel.devices.hidden;
  }

  async toggle() {
    this.stop();
    if (this.isShown) {
      this.panel.devices.hidden = true;
      return;
    }
    const inUse = {};
    for (const [kind, track] of Object.entries(this.media.tracks)) inUse[kind] = track?.getSettings().deviceId;
    this.panel.offer(await Media.devices(), inUse);
    this.#listen();
  }

  /** Another microphone is in use. */
  changed() {
    if (this.level) this.#listen();
  }

  stop() {
    this.level?.stop();
    this.level = null;
  }

  #listen() {
    this.stop();
    const { audio } = this.media.tracks;
    this.level = audio ? listenTo(audio, (level) => (this.panel.meter.value = level)) : null;
  }
}
